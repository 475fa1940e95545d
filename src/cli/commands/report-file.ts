/** Report files for other programs: checked before a run starts, complete when it ends. */
import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { describeErrno } from "../../dump/store/file.ts";
import { renderJunit } from "../../report/junit.ts";

/**
 * Throws a {@link UsageError} if the report that `option` requests could not be written to `path`,
 * or would overwrite the dump. Changes nothing.
 */
export function checkReport(dump: string, option: string, path: string | undefined): void {
  if (path === undefined) return;
  refuseDump(dump, option, path);
  checkWritable(option, path);
}

/** Throws a {@link UsageError} if the report could not be written. Changes nothing. */
export function checkWritable(option: string, path: string | undefined): void {
  if (path === undefined) return;
  namingReport(option, path, () => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`cannot write ${option} ${path}: it is a directory`);
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  });
}

export function writeReport(option: string, path: string, text: string, mode?: number): void {
  namingReport(option, path, () => writeFileSync(path, text, mode === undefined ? {} : { mode }));
}

/**
 * Writes a report that says the replay is unfinished. If plg is killed, the report does not show a
 * success.
 */
export function markUnfinished(
  path: string,
  dump: string,
  processes: readonly { readonly name: string }[],
): void {
  const message = "the replay did not come to its end";
  const outcome = {
    verdict: "interrupted",
    exitCode: 1,
    text: message,
    processes: processes.map(
      ({ name }) => ({ name, result: "error", type: "interrupted", message }) as const,
    ),
  } as const;
  const nothing = { differences: [], count: 0, byProcess: {}, notes: [] };
  writeReport(
    "--junit",
    path,
    renderJunit({ command: "plg replay", name: dump, durationMs: 0 }, outcome, nothing),
  );
}

function refuseDump(dump: string, option: string, path: string): void {
  const [ours, theirs] = [dump, path].map((file) => statSync(file, { throwIfNoEntry: false }));
  if (ours === undefined || ours.dev !== theirs?.dev || ours.ino !== theirs.ino) return;
  throw new UsageError(`${option} ${path} is the dump itself: name another file`);
}

function namingReport(option: string, path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, words } = describeErrno(error);
    throw new UsageError(`cannot write ${option} ${path}: ${words} (${code})`);
  }
}
