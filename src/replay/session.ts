/** Runs a replay from start to end on the main thread: playground, engine and live commands. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ContainerIndex, type EventNumber } from "../base/ids.ts";
import { allOrNothing } from "../base/undo-stack.ts";
import { recordedTimeStore } from "../determinism/core/recorded-time.ts";
import type { CommandExit } from "../dump/format/schema.ts";
import type { Command, CommandEnd } from "../sandbox/processes/command.ts";
import type { EngineCounts } from "../engine/host.ts";
import type { EngineTask } from "../engine/task.ts";
import type { RunHooks, RunOptions } from "../sandbox/processes/run.ts";
import { prepareSandbox, Session, type SessionActs } from "../sandbox/session.ts";
import { type LinkSetup, quietMsOf } from "../switch/core/link-plan.ts";
import type { ContainerPlan, Topology } from "../sandbox/network/topology.ts";
import type { Namespace } from "../sys/namespace.ts";
import {
  ReplayCounter,
  replayCounterCount,
  type ReplayDetails,
  type ReplayOutcome,
} from "./drive/engine-details.ts";
import { compareEnd } from "./findings/command-ends.ts";
import { DifferenceLog } from "./findings/difference-log.ts";
import type { DifferenceList } from "./findings/differences.ts";
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
  /** The event that the replay waits for, or `noEvent`. */
  readonly waitingFor: EventNumber;
}

const lookMs = 5;

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
  readonly #session: Session;
  readonly #progress: Float64Array;
  #stopped = false;

  private constructor(options: ReplayOptions, session: Session, progress: Float64Array) {
    this.#options = options;
    this.#session = session;
    this.#progress = progress;
  }

  /** Prepares everything except running the commands. If it throws, it leaves nothing behind. */
  static prepare(given: ReplayOptions, hooks: RunHooks): Promise<ReplaySession> {
    const options = patientOverLinks(given);
    const { topology, live, recording } = options;
    const { length } = topology.containers;
    const time = options.hasRecordedClock ? recordedTimeStore(length) : undefined;
    const clock = time && { startNs: recording.index.run.startNs, store: time };
    const isSparse = recording.index.run.subnets.length === 0;
    return allOrNothing(async (undos) => {
      const sandbox = await prepareSandbox(
        topology,
        live,
        { ...options, clock, isSparse },
        hooks,
        undos,
      );
      const replayCounters = new SharedArrayBuffer(replayCounterCount(length) * 8);
      const details: ReplayDetails & Pick<EngineTask, "startHrNs"> = {
        startHrNs: process.hrtime.bigint(),
        path: recording.path,
        recording: recording.store,
        live: live.map(({ index }) => index),
        schedule: options.schedule,
        masks: options.masks,
        compare: options.compare,
        mostDifferences: options.mostDifferences,
        replayCounters,
        recordedTime: time,
      };
      const module = new URL("./drive/engine.js", import.meta.url);
      const session = await Session.prepare(sandbox, module, details, hooks, undos);
      return new ReplaySession(options, session, new Float64Array(replayCounters));
    });
  }

  /**
   * Runs the live commands until everything is played and they have ended or are no longer needed.
   */
  run(hooks: RunHooks): Promise<ReplayResult> {
    const { engine } = this.#session;
    const acts: SessionActs<ReplayResult> = {
      untilOver: (over) => this.#untilPlayed(over),
      beforeStop: () => this.#untilJudged(),
      conclude: (outcome, ends) => {
        const result = this.#conclude(outcome as ReplayOutcome, ends);
        this.#explain(result.differences).forEach((text) => hooks.onWarning(text));
        return result;
      },
    };
    return this.#session.run(acts, {
      onStart: () => hooks.onStart?.(),
      onWarning: (text) => hooks.onWarning(text),
      onCommandEnd: (command, end) => {
        engine.noteGone(command.plan.index);
        hooks.onCommandEnd(command, end);
      },
    });
  }

  #conclude(outcome: ReplayOutcome, ends: readonly CommandEnd[]): ReplayResult {
    const differences = this.#withEnds(outcome.differences);
    const durationMs = performance.now() - this.#startedMs;
    return { ...outcome, differences, counts: this.#session.counts(), durationMs, ends };
  }

  /** Reasons for differences that only the supervisor of random bytes knows. */
  #explain({ byProcess }: DifferenceList): readonly string[] {
    return this.#commands.flatMap(({ plan: { name, index } }) =>
      byProcess[name] === undefined
        ? []
        : this.#session.commandRun.gapsOf(index).map((reason) => `${name}: ${reason}`),
    );
  }

  /** Undoes {@link prepare} if {@link run} is not called. */
  abandon(): Promise<void> {
    return this.#session.abandon();
  }

  /** Ends the replay early. A second call kills the commands. */
  stop(): void {
    this.#stopped = true;
    this.#session.stop();
  }

  /** The calling process has left its container. */
  noteLeft(container: ContainerIndex): void {
    this.#session.engine.noteGone(container);
  }

  /** The network of a container. It exists as long as the session. */
  networkOf(container: ContainerIndex): Namespace {
    return this.#session.networkOf(container);
  }

  counts(): EngineCounts {
    return this.#session.counts();
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
    for (const { plan, end } of this.#commands) {
      const recorded = recording.exits[plan.index];
      const difference = end && compareEnd(plan.name, recorded, end, mayStop);
      if (difference !== undefined) log.add(difference);
    }
    return orderDifferences(recording.index, log.list());
  }

  get #commands(): readonly Command[] {
    return this.#session.commandRun.commands;
  }

  #isPlayed(): boolean {
    return this.#progress[ReplayCounter.done] === 1;
  }

  /**
   * Waits until the calling process has left, everything is played and the commands that ended by
   * themselves in the recording have had the time to do so.
   */
  async #untilPlayed(over: AbortSignal): Promise<void> {
    await this.#options.notBefore;
    while (!over.aborted && !this.#isPlayed()) await sleep(lookMs);
    const playedMs = performance.now();
    let movedMs = playedMs;
    let bytes: number | undefined;
    const isAwaited = (command: Command): boolean => this.#isAwaited(command, playedMs, movedMs);
    while (!over.aborted && this.#commands.some(isAwaited)) {
      const now = this.#session.counts().bytes;
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
    const runsOn = (): boolean => this.#commands.some((command) => command.isRunning());
    while (!this.#stopped && !this.#isPlayed() && !runsOn() && performance.now() < untilMs)
      await sleep(lookMs);
  }
}
