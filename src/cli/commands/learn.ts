/**
 * `replay --learn N`: replays the unchanged commands and learns masks, until N replays in a row
 * show no difference.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import { ExitCode } from "../errors/exit-code.ts";
import { plural } from "../../base/text.ts";
import type { Difference } from "../../replay/findings/differences.ts";
import { Learner, renderMasks } from "../../replay/learn/learn.ts";
import { describeDifference } from "../../report/differences.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { runPlg } from "./verify.ts";

/** The part of a replay's `--json` output that is used here. */
interface ReplaySummary {
  readonly outcome: string;
  readonly count: number;
  readonly differences: readonly Difference[];
}

/** The most replays to spend on learning, in addition to those without a difference. */
const mostReplays = 25;
/** The most unexplained differences that are listed. */
const mostListed = 10;

export interface LearnOptions {
  /** The number of replays in a row that must show no difference. */
  readonly replays: number;
  /** The arguments of the replaying plg, without masks from `path`. */
  readonly args: readonly string[];
  /** The ignore file, to which masks are appended. */
  readonly path: string;
}

/** Learns masks and appends them to the ignore file if they explain any difference. */
export async function learnMasks(terminal: Terminal, options: LearnOptions): Promise<ExitCode> {
  const { replays, path } = options;
  const learner = new Learner();
  const before = readIfThere(path);
  let unexplained: readonly Difference[] = [];
  let clean = 0;
  let done = 0;
  try {
    while (clean < replays && done < replays + mostReplays) {
      learner.noteReplay();
      const summary = await replayOnce(terminal, options, done + 1);
      if (typeof summary === "number") return restore(path, before, summary);
      done++;
      clean = summary.count === 0 ? clean + 1 : 0;
      const open = summary.differences.filter((difference) => !learner.add(difference));
      if (summary.count > 0) unexplained = open;
      if (summary.count > 0 && open.length === summary.differences.length) break;
      if (learner.masks.length > 0)
        writeFileSync(path, (before ?? "") + renderMasks(learner.masks, plural(done, "replay")));
    }
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as Error).message}`);
  }
  return conclude(terminal, options, { learner, before, unexplained, clean, done });
}

interface Learned {
  readonly learner: Learner;
  readonly before: string | undefined;
  readonly unexplained: readonly Difference[];
  readonly clean: number;
  readonly done: number;
}

function conclude(terminal: Terminal, options: LearnOptions, learned: Learned): ExitCode {
  const { path, replays } = options;
  const { learner, before, unexplained, clean, done } = learned;
  const { masks } = learner;
  const isVerified = clean >= replays;
  if (!isVerified) {
    terminal.warn("masks do not explain all differences:");
    for (const difference of unexplained.slice(0, mostListed))
      terminal.warn(`  ${describeDifference(difference)}`);
  }
  if (masks.length === 0) {
    restore(path, before, ExitCode.ok);
    if (isVerified) terminal.info(`nothing varied in ${plural(done, "replay")}: no mask is needed`);
    else terminal.warn(`nothing was learned, and ${path} was left as it was`);
  } else {
    const verdict = isVerified ? `; the last ${plural(clean, "replay")} had no difference` : "";
    terminal.info(`learned ${plural(masks.length, "mask")} in ${plural(done, "replay")}${verdict}`);
    terminal.info(`use them with --ignore-file ${path}`);
  }
  return isVerified ? ExitCode.ok : ExitCode.replayDiffers;
}

/** Replays with the masks so far. Returns the exit code of a replay that failed. */
async function replayOnce(
  terminal: Terminal,
  { args, path }: LearnOptions,
  number: number,
): Promise<ReplaySummary | ExitCode> {
  const masks = readIfThere(path) === undefined ? [] : ["--ignore-file", path];
  const { exitCode, output } = await runPlg([...args, ...masks]);
  const summary = readSummary(output);
  if (summary === undefined || summary.outcome === "interrupted") {
    terminal.warn(`the commands do not replay (exit code ${exitCode}): nothing was learned`);
    return exitCode === ExitCode.ok ? ExitCode.replayDiffers : exitCode;
  }
  terminal.info(`learn: replay ${number}: ${plural(summary.count, "difference")}`);
  return summary;
}

function readSummary(output: string): ReplaySummary | undefined {
  try {
    return JSON.parse(output) as ReplaySummary;
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Restores the ignore file. */
function restore(path: string, before: string | undefined, exitCode: ExitCode): ExitCode {
  if (before === undefined) rmSync(path, { force: true });
  else if (readIfThere(path) !== before) writeFileSync(path, before);
  return exitCode;
}

/** Removes an option with a value from the arguments, written `--name value` or `--name=value`. */
export function withoutOption(args: readonly string[], name: string): string[] {
  return args.filter(
    (argument, i) => argument !== name && args[i - 1] !== name && !argument.startsWith(`${name}=`),
  );
}
