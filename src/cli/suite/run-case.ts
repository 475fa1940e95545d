/** Replays one recording of a suite in a plg of its own, which has its own working directory. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { plural } from "../../base/text.ts";
import type { Difference } from "../../replay/findings/differences.ts";
import { outcomeOf } from "../../report/outcome.ts";
import type { CaseResult } from "../../suite/result.ts";
import { ExitCode } from "../errors/exit-code.ts";
import { type ChildEnd, runChild } from "./child.ts";
import type { SuiteCase } from "./discover.ts";

export interface CaseOptions {
  readonly signal: AbortSignal;
  /** Options of `plg replay` for all recordings. */
  readonly replayOptions: readonly string[];
  /** Record again what fails or is missing. */
  readonly update: boolean;
  /** Learn masks, until this many replays show no difference. */
  readonly learn: string | undefined;
}

/** The part of a replay's `--json` output that is used here. */
interface ReplaySummary {
  readonly outcome: "passed" | "failed" | "differed" | "interrupted";
  readonly played: number;
  readonly total: number;
  readonly durationMs: number;
  readonly count: number;
  readonly byProcess: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
  readonly notes: readonly Difference[];
  readonly commands: readonly { readonly name: string }[];
}

/** Replays a recording, and records it again if that is wanted and needed. */
export async function runCase(one: SuiteCase, options: CaseOptions): Promise<CaseResult> {
  const first = one.isMissing ? missing(one) : await replayOrLearn(one, options);
  const canHelp = first.state === "missing" || first.state === "differed";
  return options.update && canHelp ? recordAgain(one, options, first) : first;
}

function missing({ name, config }: SuiteCase): CaseResult {
  const summary = `there is no recording yet: -u records it by ${config}`;
  return { name, state: "missing", durationMs: 0, summary, replayed: undefined };
}

async function replayOrLearn(one: SuiteCase, options: CaseOptions): Promise<CaseResult> {
  const { learn, signal } = options;
  if (learn === undefined) return replayCase(one, options);
  const args = ["--learn", learn, "--ignore-file", one.masks, ...options.replayOptions];
  const startedMs = performance.now();
  const end = await runChild(one.folder, ["replay", one.file, ...configOf(one), ...args], signal);
  const summary = lastLine(end.stderr).replace(/; use .*/, "");
  const learned = /plg: (learned .*|nothing varied .*)/.exec(end.stderr)?.[1];
  const state = end.exitCode === ExitCode.ok ? "passed" : stateOf(end, signal);
  const durationMs = performance.now() - startedMs;
  return { name: one.name, state, durationMs, summary: learned ?? summary, replayed: undefined };
}

async function replayCase(one: SuiteCase, options: CaseOptions): Promise<CaseResult> {
  const { name, folder, file, masks, hasMasks } = one;
  const startedMs = performance.now();
  const replay = ["replay", file, "--json", "--quiet", ...configOf(one)];
  const args = [...replay, ...(hasMasks ? ["--ignore-file", masks] : []), ...options.replayOptions];
  const end = await runChild(folder, args, options.signal);
  const durationMs = performance.now() - startedMs;
  const summary = readJson<ReplaySummary>(end.stdout);
  if (summary) return resultOf(name, durationMs, summary);
  const state = stateOf(end, options.signal);
  return { name, state, durationMs, summary: lastLine(end.stderr), replayed: undefined };
}

/** The configuration that was found beside the recording; plg checks whether plg.yaml fits. */
function configOf({ config }: SuiteCase): readonly string[] {
  return config === undefined || config === "plg.yaml" ? [] : ["--config", config];
}

/**
 * A command that fails as it did in the recording is no difference, so the recording passes: a test
 * may be about a failure.
 */
function resultOf(name: string, durationMs: number, summary: ReplaySummary): CaseResult {
  const { outcome, played, total, byProcess, count, commands, differences, notes } = summary;
  const processes = commands.map((command) => ({
    name: command.name,
    differences: Object.hasOwn(byProcess, command.name) ? (byProcess[command.name] as number) : 0,
  }));
  const interrupted = outcome === "interrupted" ? { signal: "a signal" } : undefined;
  const state = interrupted ? "interrupted" : count > 0 ? "differed" : "passed";
  const whole = outcomeOf({ processes, interrupted, played, total, compared: true });
  const list = { differences, notes, count, byProcess };
  const text = count === 0 ? whole.text : `${plural(count, "difference")}: ${tally(byProcess)}`;
  return { name, state, durationMs, summary: text, replayed: { outcome: whole, list } };
}

function tally(byProcess: Readonly<Record<string, number>>): string {
  return Object.entries(byProcess)
    .map(([process, count]) => `${process} ${count}`)
    .join(", ");
}

/**
 * Records a case by its configuration. A recording that failed goes to FILE.failed, so that no
 * later run takes it for good, and the one before it comes back.
 */
async function recordAgain(
  one: SuiteCase,
  { signal }: CaseOptions,
  first: CaseResult,
): Promise<CaseResult> {
  const { folder, file, config } = one;
  if (config === undefined)
    return {
      ...first,
      summary: `${first.summary}; without a plg.yaml beside it, it cannot be recorded again`,
    };
  const startedMs = performance.now();
  const args = ["record", "--quiet", "--json", "--config", config, "-f", file];
  const end = await runChild(folder, args, signal);
  const { name } = one;
  const result = { name, durationMs: performance.now() - startedMs, replayed: undefined };
  if (end.exitCode === ExitCode.ok) {
    const why = one.isMissing ? "" : ` again (${first.summary})`;
    return { ...result, state: "passed", summary: `recorded${why}` };
  }
  undo(one, readJson<{ readonly previous?: string }>(end.stdout));
  const state = signal.aborted ? "interrupted" : "broken";
  return { ...result, state, summary: `recording failed: ${lastLine(end.stderr)}` };
}

function undo(
  { folder, file }: SuiteCase,
  recorded: { readonly previous?: string } | undefined,
): void {
  const path = join(folder, file);
  if (recorded === undefined) return;
  if (existsSync(path)) renameSync(path, `${path}.failed`);
  if (recorded.previous !== undefined) renameSync(recorded.previous, path);
}

function stateOf(
  { exitCode }: ChildEnd,
  signal: AbortSignal,
): "broken" | "interrupted" | "differed" {
  if (signal.aborted) return "interrupted";
  return exitCode === ExitCode.replayDiffers ? "differed" : "broken";
}

/** Undefined if plg failed before it had a result. */
function readJson<T>(output: string): T | undefined {
  try {
    return JSON.parse(output) as T;
  } catch {
    return undefined;
  }
}

/** plg's own last line, which has the reason. */
function lastLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.startsWith("plg: "));
  return lines.at(-1)?.slice("plg: ".length) ?? "plg ended without a message";
}
