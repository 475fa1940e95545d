/** Finds the recordings of a suite, and what stands beside each. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { configName } from "../../config/find.ts";
import { readSystem } from "../../config/read.ts";
import { readDump } from "../../dump/store/reader.ts";
import type { Timed } from "../../suite/shard.ts";

/** One recording of a suite. Its replay runs in its folder. */
export interface SuiteCase extends Timed {
  readonly folder: string;
  /** The dump, in that folder. */
  readonly file: string;
  /** The dump is not there: a plg.yaml says how to record it. */
  readonly isMissing: boolean;
  /** A configuration of this recording alone, or the folder's plg.yaml, in that folder. */
  readonly config: string | undefined;
  /** The file of masks, in that folder; learned masks go there. */
  readonly masks: string;
  readonly hasMasks: boolean;
}

const extension = ".traffic";
const defaultFile = `dump${extension}`;

/**
 * All recordings below a folder. A folder with a plg.yaml and no recording counts as a recording
 * that is missing.
 */
export function discover(root: string): SuiteCase[] {
  const cases = foldersIn(root).flatMap((folder) => casesIn(root, folder));
  if (cases.length > 0) return cases;
  throw new UsageError(
    `there is no recording in ${root}: put *${extension} there, or a ${configName} and use -u`,
  );
}

/** The folder and all below it, but for those of packages and hidden ones. */
export function foldersIn(root: string): string[] {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`there is no folder ${root}`);
  const below = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/(^|\/)(node_modules|\.[^/]+)(\/|$)/.test(relative(root, path)));
  return [root, ...below].toSorted();
}

function casesIn(root: string, folder: string): SuiteCase[] {
  const files = readdirSync(folder);
  const dumps = files.filter((name) => name.endsWith(extension)).toSorted();
  const found = dumps.map((file) => caseOf(root, folder, file));
  if (found.length > 0 || !files.includes(configName)) return found;
  const { file = defaultFile } = readSystem(join(folder, configName)).file;
  return [caseOf(root, folder, file)];
}

function caseOf(root: string, folder: string, file: string): SuiteCase {
  const path = join(folder, file);
  const own = `${basename(file, extname(file))}.yaml`;
  const isMissing = !existsSync(path);
  return {
    name: join(relative(root, folder), file),
    folder,
    file,
    isMissing,
    durationMs: isMissing ? 0 : durationOf(path),
    config: [own, configName].find((name) => existsSync(join(dirname(path), name))),
    masks: `${file}.masks`,
    hasMasks: existsSync(`${path}.masks`),
  };
}

/** The time of the last event, or of the last command's end. A damaged dump is reported later. */
function durationOf(path: string): number {
  let lastNs = 0;
  try {
    for (const item of readDump(path)) {
      if (item.type === "stream") lastNs = Math.max(lastNs, item.atNs);
      else if (item.type === "exit") lastNs = Math.max(lastNs, item.exit.lastedNs ?? 0);
    }
  } catch {
    // Its replay says what is wrong with it.
  }
  return lastNs / 1e6;
}
