/**
 * Runs of tests. The first run of a test records the whole system. Later runs start only what is
 * under test and play the rest; a difference fails the test.
 */
import { rmSync, writeFileSync } from "node:fs";
import { isSameName } from "../../base/container-name.ts";
import { renderDifferences } from "../../report/differences.ts";
import { type Outcome, outcomeOf } from "../../report/outcome.ts";
import { type Containers, listContainers } from "../containers.ts";
import { renderPage } from "../page.ts";
import { record, type RecordOptions, type RecordResult } from "../record.ts";
import { replay, type ReplayOptions, type ReplayResult, type ReplayRun } from "../replay.ts";
import type { Run } from "../run.ts";
import { draftOf, mustRecord, settleDraft, type Update } from "./recordings.ts";

/**
 * The options of a test's run: those of `record`, and those of `replay` that concern comparison.
 */
export interface TestRunOptions
  extends
    Omit<RecordOptions, "file" | "force">,
    Pick<ReplayOptions, "ignore" | "patienceMs" | "speed" | "order" | "compare" | "recordedClock"> {
  /** All containers of the system. */
  readonly containers: Containers;
  /**
   * The containers under test: they are started in every run, and the recording plays the others.
   * The test itself always takes part. @default none: the test alone is live
   */
  readonly live?: readonly string[] | undefined;
}

/** A run within a test: a recording, or a replay. */
export type TestRun = Run<RecordResult> | ReplayRun;

/** A run, and how it ends. */
export interface StartedTestRun {
  readonly run: TestRun;
  /**
   * Ends the run. A recording is kept if the test `hasPassed`. A replay that differs throws a
   * {@link RecordingDiffers}.
   */
  readonly end: (hasPassed: boolean) => Promise<void>;
}

/** A test's run differed from its recording. The message is the report. */
export class RecordingDiffers extends Error {
  override readonly name = "RecordingDiffers";
  /** The page that shows the differences in a browser. */
  readonly page: string;

  constructor(message: string, page: string) {
    super(message);
    this.page = page;
    // The report says where; a stack of plg's own says nothing.
    this.stack = `${this.name}: ${message}`;
  }
}

/** Starts the run of the recording at `path`. */
export function startTestRun(
  path: string,
  options: TestRunOptions,
  update: Update,
): Promise<StartedTestRun> {
  return mustRecord(path, update) ? startRecording(path, options) : startReplay(path, options);
}

async function startRecording(path: string, options: TestRunOptions): Promise<StartedTestRun> {
  const run = await record({ ...options, file: draftOf(path) });
  await run.ready;
  return {
    run,
    end: async (hasPassed) => {
      let isWhole = false;
      try {
        const { dumpError } = await run.stop();
        if (dumpError) throw dumpError;
        isWhole = true;
      } finally {
        settleDraft(path, hasPassed && isWhole);
      }
    },
  };
}

async function startReplay(path: string, options: TestRunOptions): Promise<StartedTestRun> {
  const { live = [], containers, seed, ...rest } = options;
  const under = listContainers(containers).filter(({ name }) => isLive(live, name));
  const run = await replay({
    ...rest,
    seed: seed === false ? false : undefined,
    file: path,
    only: live,
    containers: under,
  });
  return {
    run,
    end: async (hasPassed) => {
      // A test that failed did not do what it does in the recording; its own error says more.
      const result = await (hasPassed ? run.finish() : run.stop());
      if (hasPassed) judge(path, result, options);
    },
  };
}

function isLive(live: readonly string[], name: string | undefined): boolean {
  return live.some((one) => isSameName(name, one));
}

/** Throws a {@link RecordingDiffers}, and writes its page, if the replay did not pass. */
function judge(path: string, result: ReplayResult, { compare = true }: TestRunOptions): void {
  const page = `${path}.html`;
  const outcome = verdictOf(result, compare);
  if (outcome.verdict === "passed") return rmSync(page, { force: true });
  const { differences } = result;
  writeFileSync(page, renderPage(path, { outcome, differences }), { mode: 0o600 });
  const report = renderDifferences(differences, {
    all: false,
    toShowAll: "the page",
    toKeepMore: "mostDifferences",
    toMask: "ignore:",
  });
  const failures = outcome.processes.flatMap((one) => ("message" in one ? [one.message] : []));
  throw new RecordingDiffers(
    `the run differs from its recording ${path}\n\n${report === "" ? failures.join("\n") : report}\nIn a browser: ${page}\nIf the change is intended, record again (-u, or PLG_UPDATE=1).`,
    page,
  );
}

function verdictOf(result: ReplayResult, compared: boolean): Outcome {
  const { live, exits, differences, played, total } = result;
  return outcomeOf({
    processes: live.map((name) => {
      const exit = exits[name];
      const failed = exit !== undefined && !exit.stopped && exit.exitCode !== 0;
      const failure = failed
        ? `the command failed (${exit.failure ?? exit.signal ?? `exit code ${exit.exitCode}`})`
        : undefined;
      return { name, differences: differences.byProcess[name] ?? 0, failure };
    }),
    played,
    total,
    compared,
  });
}
