/**
 * `record --until-fails N`: records again and again until a command fails, to catch an intermittent
 * failure.
 *
 * Each run is recorded next to the dump's path, and moved there if it is to be kept. So an earlier
 * recording at that path is replaced at most once, and only by a wanted one.
 */
import { existsSync, rmSync } from "node:fs";
import { parse } from "node:path";
import { ExitCode } from "../errors/exit-code.ts";
import { plural } from "../../base/text.ts";
import { DumpDestination } from "../../dump/store/destination.ts";
import { isDump } from "../../dump/store/reader.ts";
import { type RecordOptions, type RecordResult, RecordSession } from "../../record/session.ts";
import { couldStart } from "../../sandbox/processes/command.ts";
import { attend } from "../terminal/attend.ts";
import { hasFailed } from "../terminal/command-ends.ts";
import { HeldOutput } from "../terminal/held-output.ts";
import type { Interruption } from "../terminal/interrupt.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { recordStatus } from "./record-status.ts";

/** Which recordings to keep: the failed run's, all, or the last run's. */
export type Keep = "failed" | "all" | "last";

interface Plan {
  /** The maximum number of runs. */
  readonly runs: number;
  readonly keep: Keep;
  /** The options of a run whose output goes to the given sink. */
  readonly optionsFor: (output: HeldOutput) => RecordOptions;
}

/** The outcome of all runs. */
export interface UntilFails {
  readonly runs: number;
  /** Whether the last run failed. */
  readonly hasFailed: boolean;
  /** The recordings that were kept. */
  readonly kept: readonly string[];
  /** The result of the last completed run. */
  readonly result: RecordResult | undefined;
  readonly interrupted: Interruption | undefined;
}

/** The exit code: the failure was the goal, but it is a failure all the same. */
export function exitCodeOf({ interrupted, hasFailed: failed }: UntilFails): number {
  if (interrupted) return interrupted.exitCode;
  return failed ? ExitCode.commandFailed : ExitCode.ok;
}

/** Describes the outcome in one line. */
export function describeRuns({ runs, hasFailed: failed, kept, interrupted }: UntilFails): string {
  const cut = interrupted ? ` before ${interrupted.signal}` : "";
  const found = failed ? `run ${runs} failed` : `none of ${plural(runs, "run")} failed`;
  const before = failed && runs > 1 ? `, ${plural(runs - 1, "run")} before it did not` : "";
  const last = kept.at(-1);
  const where = last === undefined ? "nothing was kept" : `recorded to ${last}`;
  return `${found}${before}${cut}: ${where}`;
}

export async function recordUntilFails(terminal: Terminal, plan: Plan): Promise<UntilFails> {
  const { file, force } = plan.optionsFor(new HeldOutput(terminal));
  const destination = DumpDestination.claim(file, { force });
  const recorder = new RepeatedRecorder(terminal, plan, file, destination);
  try {
    return await recorder.run();
  } finally {
    recorder.close();
  }
}

class RepeatedRecorder {
  readonly #terminal: Terminal;
  readonly #plan: Plan;
  readonly #file: string;
  readonly #destination: DumpDestination;
  /** The path at which each run is recorded first. */
  readonly #attempt: string;
  readonly #kept: string[] = [];

  constructor(terminal: Terminal, plan: Plan, file: string, destination: DumpDestination) {
    this.#terminal = terminal;
    this.#plan = plan;
    this.#file = file;
    this.#destination = destination;
    this.#attempt = `${file}.attempt`;
  }

  async run(): Promise<UntilFails> {
    let last: RecordResult | undefined;
    for (let run = 1; run <= this.#plan.runs; run++) {
      const output = new HeldOutput(this.#terminal);
      const { result, interrupted } = await this.#record(run, output);
      if (interrupted || result === undefined) return this.#end(run - 1, false, last, interrupted);
      const { ends, dumpError } = result;
      last = result;
      const failed = ends.some(hasFailed);
      if (failed || dumpError) output.show();
      if (dumpError) throw dumpError;
      // A mistyped command fails every time and records nothing.
      if (!ends.some(couldStart)) return this.#end(run, true, last, undefined);
      if (this.#plan.keep === "all") this.#keepNumbered(run);
      if (failed) return this.#end(run, true, last, undefined);
    }
    return this.#end(this.#plan.runs, false, last, undefined);
  }

  /** Deletes an attempt that was not kept. */
  close(): void {
    this.#dropAttempt();
    if (this.#kept.includes(this.#file)) this.#destination.keep();
    else this.#destination.withdraw();
  }

  #record(run: number, output: HeldOutput): ReturnType<typeof attend<RecordSession, RecordResult>> {
    const options = { ...this.#plan.optionsFor(output), file: this.#attempt, force: false };
    this.#dropAttempt();
    return attend(
      this.#terminal,
      () => RecordSession.prepare(options, output.hooks),
      (session) => {
        const status = recordStatus(session);
        return () => `run ${run} of ${this.#plan.runs}  ${status()}`;
      },
      (session) => session.run(output.hooks),
    );
  }

  #end(
    runs: number,
    failed: boolean,
    result: RecordResult | undefined,
    interrupted: Interruption | undefined,
  ): UntilFails {
    const isWanted = this.#plan.keep === "last" || (this.#plan.keep === "failed" && failed);
    const hasStarted = result?.ends.some(couldStart) === true;
    if (isWanted && hasStarted && !interrupted && existsSync(this.#attempt)) {
      this.#destination.adopt(this.#attempt);
      this.#kept.push(this.#file);
    }
    return { runs, hasFailed: failed, kept: this.#kept, result, interrupted };
  }

  /** Keeps `dump.traffic` of run 3 as `dump.3.traffic`. */
  #keepNumbered(run: number): void {
    const { dir, name, ext } = parse(this.#file);
    const path = `${dir === "" ? "" : `${dir}/`}${name}.${run}${ext}`;
    DumpDestination.claim(path, { force: false }).adopt(this.#attempt);
    this.#kept.push(path);
  }

  #dropAttempt(): void {
    if (existsSync(this.#attempt) && isDump(this.#attempt)) rmSync(this.#attempt);
  }
}
