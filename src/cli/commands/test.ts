/** `plg test`: replays a folder of recordings as a test suite. */
import type { Command as Cli } from "commander";
import { availableParallelism } from "node:os";
import { UsageError } from "../../base/errors.ts";
import { formatDuration } from "../../base/text.ts";
import { printableJson } from "../../base/printable.ts";
import { renderDifference } from "../../report/differences.ts";
import { renderJunitSuites } from "../../report/junit.ts";
import { renderSuitePage } from "../../suite/page.ts";
import { type CaseResult, describeSuite, hasPassed } from "../../suite/result.ts";
import { inShard, type Shard } from "../../suite/shard.ts";
import { ExitCode } from "../errors/exit-code.ts";
import { collect, parseCount, parseDuration } from "../options/values.ts";
import { discover, type SuiteCase } from "../suite/discover.ts";
import { lastFailures, rememberFailures } from "../suite/last-failures.ts";
import type { CaseOptions } from "../suite/run-case.ts";
import { runSuite } from "../suite/run-suite.ts";
import { untilChanged } from "../suite/watch.ts";
import { type Interruption, interruptible, interruptionBy } from "../terminal/interrupt.ts";
import { paintFor } from "../terminal/paint.ts";
import { checkWritable, writeReport } from "./report-file.ts";

interface TestFlags {
  readonly jobs?: string;
  readonly shard?: string;
  readonly onlyFailed?: boolean;
  readonly update?: boolean;
  readonly learn?: string;
  readonly patience?: string;
  readonly runRecorded?: boolean;
  readonly watch?: boolean;
  readonly watchPath?: readonly string[];
  readonly json?: boolean;
  readonly junit?: string;
  readonly page?: string;
}

export function addTest(program: Cli, setExitCode: (code: number) => void): void {
  program
    .command("test")
    .summary("replay a folder of recordings as a test suite")
    .description("Replay all recordings of a folder, in parallel, and report which of them differ")
    .usage("[options] <folder>")
    .argument("<folder>", "where the recordings (*.traffic) are, at any depth")
    .option("-j, --jobs <n>", "replay this many at a time (default: as many as processors)")
    .option("--shard <i/n>", "replay part i of n, split evenly by duration, as in 2/5")
    .option("--only-failed", "replay those that failed the last time")
    .option("-u, --update", "record again what differs or is missing, by its plg.yaml")
    .option("--learn <n>", "learn masks into FILE.masks, until n replays show no difference")
    .option("--patience <duration>", "as in plg replay")
    .option("--run-recorded", "run the commands of recordings that somebody else made")
    .option("-w, --watch", "replay again whenever something in the folder changes")
    .option("--watch-path <path>", "the same, for changes here as well (repeatable)", collect)
    .optionsGroup("Reports:")
    .option("--json", "print one JSON object instead")
    .option("--junit <path>", "write the results as JUnit XML")
    .option("--page <path>", "write one page with all results")
    .addHelpText("after", examples)
    .action(async (folder: string, flags: TestFlags) => setExitCode(await test(folder, flags)));
}

const examples = `
Beside NAME.traffic, plg looks for NAME.yaml or plg.yaml (commands, masks) and
for NAME.traffic.masks. Without a configuration, the recorded commands run.

Examples:
  $ plg test recordings
  $ plg test recordings --shard 2/5 --junit report.xml --page report.html
  $ plg test recordings --watch-path src
  $ plg test recordings -u`;

async function test(folder: string, flags: TestFlags): Promise<number> {
  const jobs =
    flags.jobs === undefined ? availableParallelism() : parseCount(flags.jobs, "--jobs", 1024);
  const shard = parseShard(flags.shard);
  if (flags.learn !== undefined) parseCount(flags.learn, "--learn", 1000);
  if (flags.learn !== undefined && flags.update)
    throw new UsageError("--learn and --update exclude each other");
  checkWritable("--junit", flags.junit);
  checkWritable("--page", flags.page);
  const stop = new AbortController();
  let interrupted: Interruption | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    interrupted ??= interruptionBy(signal);
    stop.abort();
  };
  const options = { ...caseOptions(flags), signal: stop.signal };
  return interruptible(onSignal, async () => {
    for (;;) {
      const results = await runOnce(folder, selected(folder, shard, flags), jobs, options, flags);
      if (interrupted) return interrupted.exitCode;
      if (!flags.watch && flags.watchPath === undefined) return exitCodeOf(results);
      const change = untilChanged([folder, ...(flags.watchPath ?? [])], stop.signal);
      process.stderr.write("plg: waiting for a change (Ctrl-C ends)\n");
      await change;
    }
  });
}

function caseOptions(flags: TestFlags): Omit<CaseOptions, "signal"> {
  if (flags.patience !== undefined) parseDuration(flags.patience, "--patience");
  const replayOptions = [
    ...(flags.patience === undefined ? [] : ["--patience", flags.patience]),
    ...(flags.runRecorded ? ["--run-recorded"] : []),
  ];
  return { replayOptions, update: flags.update === true, learn: flags.learn };
}

function parseShard(text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined;
  const [, number, count] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (number !== undefined && count !== undefined && number > 0 && number <= count)
    return { number, count };
  throw new UsageError(`--shard '${text}' is not a part such as 2/5`);
}

function selected(folder: string, shard: Shard | undefined, flags: TestFlags): SuiteCase[] {
  const all = discover(folder);
  const failed = flags.onlyFailed ? lastFailures(folder) : undefined;
  if (flags.onlyFailed && !failed)
    throw new UsageError(`no earlier run of ${folder} is known: leave out --only-failed once`);
  const some = failed ? all.filter(({ name }) => failed.has(name)) : all;
  return shard ? inShard(some, shard) : some;
}

async function runOnce(
  folder: string,
  cases: readonly SuiteCase[],
  jobs: number,
  options: CaseOptions,
  flags: TestFlags,
): Promise<CaseResult[]> {
  const startedMs = performance.now();
  const onResult = flags.json ? (): void => {} : print;
  const results = await runSuite(cases, jobs, options, onResult);
  rememberFailures(folder, namesToRemember(folder, results, flags));
  const summary = `${describeSuite(results)} in ${formatDuration(performance.now() - startedMs)}`;
  if (flags.json) process.stdout.write(`${printableJson({ folder, results })}\n`);
  process.stderr.write(`plg: ${summary}\n`);
  if (flags.junit !== undefined) writeReport("--junit", flags.junit, junitOf(results));
  if (flags.page !== undefined)
    writeReport("--page", flags.page, renderSuitePage(folder, results), pageMode);
  return results;
}

/** The page has bytes of the recordings. */
const pageMode = 0o600;

/** Failures of recordings that this run left out stay remembered. */
function namesToRemember(
  folder: string,
  results: readonly CaseResult[],
  flags: TestFlags,
): string[] {
  const ran = new Set(results.map(({ name }) => name));
  const isPartial = flags.shard !== undefined || flags.onlyFailed;
  const before = isPartial
    ? [...(lastFailures(folder) ?? [])].filter((name) => !ran.has(name))
    : [];
  return [...before, ...results.filter((one) => !hasPassed(one)).map(({ name }) => name)];
}

/** One line per recording, and the first divergence of each process below. */
function print(result: CaseResult): void {
  const { name, state, durationMs, summary, replayed } = result;
  const paint = paintFor(process.stdout);
  const word = state.padEnd("interrupted".length);
  const painted = hasPassed(result) ? (paint?.good(word) ?? word) : (paint?.bad(word) ?? word);
  const why = hasPassed(result) && replayed ? "" : `  ${summary}`;
  const firsts = (replayed?.list.differences ?? []).filter(({ isFirst }) => isFirst === true);
  const lines = firsts.flatMap((one) => renderDifference(one, { toMask: "--ignore" }));
  const text = [
    `${painted}  ${name}  ${formatDuration(durationMs)}${why}`,
    ...lines.map((line) => `    ${line}`),
  ];
  process.stdout.write(`${text.join("\n")}\n`);
}

function junitOf(results: readonly CaseResult[]): string {
  return renderJunitSuites(
    "plg test",
    results.map(({ name, state, durationMs, summary, replayed }) => ({
      run: { name, durationMs, toMask: "--ignore" },
      ...(replayed ?? {
        outcome: { processes: [{ name: "replay", ...outcomeWithoutReplay(state, summary) }] },
        list: { differences: [], count: 0, byProcess: {}, notes: [] },
      }),
    })),
  );
}

function outcomeWithoutReplay(state: CaseResult["state"], message: string) {
  if (state === "passed") return { result: "success" } as const;
  return { result: "error", type: state === "interrupted" ? state : "failed", message } as const;
}

/** A difference first: it is what the suite is about. */
function exitCodeOf(results: readonly CaseResult[]): ExitCode {
  const has = (state: CaseResult["state"]): boolean => results.some((one) => one.state === state);
  if (has("differed")) return ExitCode.replayDiffers;
  return results.every(hasPassed) ? ExitCode.ok : ExitCode.commandFailed;
}
