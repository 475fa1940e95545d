/** Runs a replay from start to end on the main thread: playground, engine and live commands. */
import { setTimeout as sleep } from "node:timers/promises";
import { allOrNothing } from "../base/all-or-nothing.ts";
import { recordedTimeStore } from "../determinism/core/recorded-time.ts";
import type { CommandExit } from "../dump/format/schema.ts";
import type { Command, CommandEnd } from "../sandbox/processes/command.ts";
import type { EngineCounts, EngineHost } from "../engine/host.ts";
import { Playground } from "../sandbox/playground.ts";
import {
  CommandRun,
  keeperLost,
  type RunHooks,
  type RunOptions,
} from "../sandbox/processes/run.ts";
import { type LinkSetup, quietMsOf } from "../switch/core/link-plan.ts";
import { raiseDescriptorLimit } from "../sys/descriptors.ts";
import type { ContainerPlan, Topology } from "../sandbox/network/topology.ts";
import {
  ReplayCounter,
  replayCounters,
  type ReplayDetails,
  type ReplayOutcome,
} from "./drive/engine-details.ts";
import { compareEnd } from "./findings/command-ends.ts";
import { type DifferenceList, DifferenceLog } from "./findings/differences.ts";
import { orderDifferences } from "./findings/divergence.ts";
import type { Mask } from "./compare/masks.ts";
import type { Recording } from "../recording/load/read-recording.ts";
import { type ScheduleOptions, speedOf } from "./schedule/schedule.ts";

export interface ReplayOptions extends RunOptions {
  readonly recording: Recording;
  /** The containers with their commands, and those whose commands run. */
  readonly topology: Topology;
  readonly live: readonly ContainerPlan[];
  readonly schedule: ScheduleOptions;
  readonly masks: readonly Mask[];
  readonly compare: boolean;
  readonly mostDifferences: number;
  /** The links between the live processes and their peers. */
  readonly links: LinkSetup | undefined;
  /** Whether the live processes see the recorded time of day. */
  readonly hasRecordedClock: boolean;
}

export interface ReplayResult extends ReplayOutcome {
  readonly counts: EngineCounts;
  readonly durationMs: number;
  /** In the order of the live commands. */
  readonly ends: readonly CommandEnd[];
}

/** The progress of a replay, for a status line. */
export interface ReplayProgress {
  readonly played: number;
  readonly total: number;
  readonly differences: number;
  /** The event that the replay waits for, or -1. */
  readonly waitingFor: number;
}

const lookMs = 20;

/** Extends patience by the time that a link delays traffic. */
function patientOverLinks(options: ReplayOptions): ReplayOptions {
  const { schedule, links } = options;
  const patienceMs = schedule.patienceMs + quietMsOf(links);
  return { ...options, schedule: { ...schedule, patienceMs } };
}

/** Whether a command ended in the recording before the recorder stopped it. */
function endedByItself(exit: CommandExit | undefined): boolean {
  if (exit === undefined || exit.stoppedAtNs !== undefined) return false;
  return exit.exitCode !== undefined || exit.signal !== undefined;
}

export class ReplaySession {
  readonly #options: ReplayOptions;
  readonly #startedMs = performance.now();
  readonly #run: CommandRun;
  readonly #playground: Playground;
  readonly #engine: EngineHost;
  readonly #progress: Float64Array;
  #stopped = false;

  private constructor(
    options: ReplayOptions,
    run: CommandRun,
    playground: Playground,
    engine: EngineHost,
    progress: Float64Array,
  ) {
    this.#options = options;
    this.#run = run;
    this.#playground = playground;
    this.#engine = engine;
    this.#progress = progress;
  }

  /** Prepares everything except running the commands. If it throws, it leaves nothing behind. */
  static prepare(given: ReplayOptions, hooks: RunHooks): Promise<ReplaySession> {
    const options = patientOverLinks(given);
    const { topology, recording } = options;
    return allOrNothing(async (onFailure) => {
      const { length } = topology.containers;
      const playground = new Playground(topology.subnets, length, options);
      onFailure(() => playground.close());
      const { spaces } = playground;
      const time = options.hasRecordedClock ? recordedTimeStore(length) : undefined;
      const { startNs } = recording.index.run;
      const clock = time && { startNs, store: time };
      const runOptions = { ...options, clock };
      const run = await CommandRun.prepare(topology, options.live, spaces, runOptions);
      onFailure(() => run.close());
      if (run.unseeded !== undefined) hooks.onWarning(run.unseeded);
      const counters = new SharedArrayBuffer(replayCounters(length) * 8);
      const details = {
        startHrNs: process.hrtime.bigint(),
        path: recording.path,
        recording: recording.store,
        live: options.live.map(({ index }) => index),
        schedule: options.schedule,
        masks: options.masks,
        compare: options.compare,
        mostDifferences: options.mostDifferences,
        replayCounters: counters,
        recordedTime: time,
      };
      const module = new URL("./drive/engine.js", import.meta.url);
      const engine = await playground.startEngine<ReplayDetails>(
        module,
        run.procPath,
        details,
        (text) => hooks.onWarning(text),
      );
      onFailure(() => engine.finish());
      await run.ready();
      return new ReplaySession(options, run, playground, engine, new Float64Array(counters));
    });
  }

  /**
   * Runs the live commands until everything is played and they have ended or are no longer needed.
   */
  async run(hooks: RunHooks): Promise<ReplayResult> {
    void this.#run.lost.then(() => hooks.onWarning(keeperLost));
    let restoreLimit: (() => void) | undefined;
    try {
      await this.#run.start();
      // Only now, because the commands inherit the caller's limits.
      restoreLimit = raiseDescriptorLimit();
      const ended = this.#run.untilOver((command, end) => {
        this.#engine.tellGone(command.plan.index);
        hooks.onCommandEnd(command, end);
      });
      await Promise.race([ended, this.#untilPlayed(), this.#engine.failed, this.#run.failed]);
      await this.#untilJudged();
      await Promise.race([this.#run.stop(), this.#engine.failed]);
      const outcome = (await this.#engine.finish()) as ReplayOutcome;
      const ends = this.#run.commands.map(({ end }) => end).filter((end) => end !== undefined);
      const differences = this.#withEnds(outcome.differences);
      const durationMs = performance.now() - this.#startedMs;
      return { ...outcome, differences, counts: this.#engine.counts(), durationMs, ends };
    } finally {
      restoreLimit?.();
      await this.#run.close();
      this.#playground.close();
    }
  }

  /** Undoes {@link prepare} if {@link run} is not called. */
  async abandon(): Promise<void> {
    await this.#engine.finish();
    await this.#run.close();
    this.#playground.close();
  }

  /** Ends the replay early. A second call kills the commands. */
  stop(): void {
    this.#stopped = true;
    void this.#run.stop();
  }

  counts(): EngineCounts {
    return this.#engine.counts();
  }

  progress(): ReplayProgress {
    const at = (counter: number): number => this.#progress[counter] ?? 0;
    return {
      played: at(ReplayCounter.played),
      total: at(ReplayCounter.total),
      differences: at(ReplayCounter.differences),
      waitingFor: at(ReplayCounter.waitingFor),
    };
  }

  /** Adds differences in how commands ended, and orders all differences as they happened. */
  #withEnds(found: DifferenceList): DifferenceList {
    const { recording, mostDifferences, until } = this.#options;
    // A user who ends the run early accepts that commands are stopped.
    const mayStop = this.#stopped || until !== "all";
    const log = DifferenceLog.from(found, mostDifferences);
    for (const { plan, end } of this.#run.commands) {
      const recorded = recording.exits[plan.index];
      const difference = end && compareEnd(plan.name, recorded, end, mayStop);
      if (difference !== undefined) log.add(difference);
    }
    return orderDifferences(recording.index, log.list());
  }

  #isPlayed(): boolean {
    return this.#progress[ReplayCounter.done] === 1;
  }

  /**
   * Waits until everything is played and the commands that ended by themselves in the recording
   * have had the time to do so.
   */
  async #untilPlayed(): Promise<void> {
    while (!this.#isPlayed()) await sleep(lookMs);
    const playedMs = performance.now();
    let movedMs = playedMs;
    let bytes = -1;
    while (this.#run.commands.some((command) => this.#isAwaited(command, playedMs, movedMs))) {
      const now = this.#engine.counts().bytes;
      if (now !== bytes) movedMs = performance.now();
      bytes = now;
      await sleep(lookMs);
    }
  }

  /**
   * Whether a command may still end by itself. It has as long as it took in the recording, by its
   * own clock, plus the patience. A command that has departed from the recording only has the
   * patience.
   */
  #isAwaited(command: Command, playedMs: number, movedMs: number): boolean {
    const { recording, schedule } = this.#options;
    const { index } = command.plan;
    if (!command.isRunning() || !endedByItself(recording.exits[index])) return false;
    const hasDeparted = this.#progress[ReplayCounter.departed + index] === 1;
    const lastedMs = recording.index.lastedNs(index) / 1e6 / speedOf(schedule.release);
    const ownMs = Math.max(playedMs, command.startedMs + lastedMs);
    // A process that has departed gets no credit, but is not cut off while traffic still flows.
    const dueMs = hasDeparted ? Math.min(movedMs, ownMs) : ownMs;
    return performance.now() < dueMs + schedule.patienceMs;
  }

  /**
   * Commands may end before the engine has seen everything that they did. Waits until the engine
   * has, or has given up what is missing.
   */
  async #untilJudged(): Promise<void> {
    const untilMs = performance.now() + 2 * this.#options.schedule.patienceMs;
    const runsOn = (): boolean => this.#run.commands.some((command) => command.isRunning());
    while (!this.#stopped && !this.#isPlayed() && !runsOn() && performance.now() < untilMs)
      await sleep(lookMs);
  }
}
