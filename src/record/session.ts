/**
 * A recording from start to end, on the main thread: it connects playground, dump, engine and
 * commands.
 */
import { hostname, machine, release, type as kernelName } from "node:os";
import type { ContainerIndex } from "../base/ids.ts";
import { allOrNothing } from "../base/undo-stack.ts";
import { seedingNotes } from "../determinism/core/scheme.ts";
import type { CommandExit, RunInfo } from "../dump/format/schema.ts";
import { DumpDestination } from "../dump/store/destination.ts";
import { type DumpWriter, startWriter } from "../dump/store/writer.ts";
import { type CommandEnd, couldStart } from "../sandbox/processes/command.ts";
import type { EngineCounts } from "../engine/host.ts";
import type { EngineTask } from "../engine/task.ts";
import type { NetworkOptions } from "../sandbox/playground.ts";
import type { RunHooks, RunOptions } from "../sandbox/processes/run.ts";
import { prepareSandbox, Session, type SessionActs } from "../sandbox/session.ts";
import { type ContainerPlan, hasCommand, type Topology } from "../sandbox/network/topology.ts";
import type { Namespace } from "../sys/namespace.ts";
import type { RecordDetails } from "./engine.ts";
import { type Need, StartOrder } from "./needs.ts";
import { type ReadyCheck, runChecks, watchContainers, watchLines } from "./readiness.ts";

export interface RecordOptions extends RunOptions, NetworkOptions {
  readonly topology: Topology;
  readonly file: string;
  /**
   * Also replace a file that is not a recording. The old file is kept: see {@link RecordResult}.
   */
  readonly force: boolean;
  readonly waitListenMs: number;
  /** The commands that start later than the others, and what they wait for. */
  readonly needs?: readonly Need[];
  /** The conditions for readiness. Connections to a container are held until it is ready. */
  readonly ready?: readonly ReadyCheck[];
  readonly toolVersion: string;
  /**
   * Proves to a later replay that this user ran these commands. Without it, replay asks before it
   * runs them.
   */
  readonly seal?: string | undefined;
}

export interface RecordResult {
  readonly counts: EngineCounts;
  readonly dumpBytes: number;
  /** The duration in the dump: from just before the commands start to the end of the recording. */
  readonly durationMs: number;
  /** In the commands' order. */
  readonly ends: readonly CommandEnd[];
  /** Why the dump is incomplete, if it is. */
  readonly dumpError: Error | undefined;
  /** The new path of a file that was at the dump's path before. */
  readonly previous: string | undefined;
  /** No command could be started, so the previous file was left in place. */
  readonly withdrawn: boolean;
}

/** A moment, on two clocks. */
interface Moment {
  /** In nanoseconds since the epoch. */
  readonly startNs: bigint;
  /** In nanoseconds of `process.hrtime.bigint()`. */
  readonly startHrNs: bigint;
}

/** Reads the time of day only once, because it may be set during the run. */
function now(): Moment {
  return {
    startHrNs: process.hrtime.bigint(),
    startNs: BigInt(Date.now()) * 1_000_000n,
  };
}

/** The parts of a session. */
interface RecordParts extends Moment {
  readonly destination: DumpDestination;
  readonly session: Session;
  readonly writer: DumpWriter;
  readonly startOrder: StartOrder;
  readonly containers: readonly ContainerPlan[];
  readonly checks: readonly ReadyCheck[];
  /** See {@link watchLines}. */
  readonly matched: readonly Promise<number>[];
}

export class RecordSession {
  readonly #parts: RecordParts;

  private constructor(parts: RecordParts) {
    this.#parts = parts;
  }

  /**
   * Prepares everything except the commands, which do not run yet. If it throws, it leaves nothing
   * behind, and the file at the dump's path is unchanged.
   */
  static prepare(options: RecordOptions, hooks: RunHooks): Promise<RecordSession> {
    const { topology } = options;
    const { containers } = topology;
    return allOrNothing(async (undos) => {
      const destination = DumpDestination.claim(options.file, options);
      undos.push(() => destination.withdraw());
      const checks = options.ready ?? [];
      const { output, matched } = watchLines(options.output, checks);
      const watched = { ...options, output };
      const sandbox = await prepareSandbox(topology, containers, watched, hooks, undos);
      const moment = now();
      const info = runInfo(options, sandbox.commandRun.isSeeded, moment.startNs);
      const writer = startWriter(destination.open(), info);
      undos.push(() => writer.abort());
      const module = new URL("./engine.js", import.meta.url);
      const details: RecordDetails & Pick<EngineTask, "startHrNs"> = {
        startHrNs: moment.startHrNs,
        sink: writer.sinkStore,
        waitListenMs: options.waitListenMs,
        unready: checks.map(({ container }) => container),
        names: containers.map(({ name }) => name),
      };
      const session = await Session.prepare(sandbox, module, details, hooks, undos);
      const startOrder = new StartOrder({ needs: options.needs ?? [], containers, ...sandbox });
      undos.push(() => startOrder.close());
      const made = { destination, session, writer, startOrder };
      return new RecordSession({ ...moment, ...made, containers, checks, matched });
    });
  }

  /** Runs the commands to their end and closes the dump. */
  async run(hooks: RunHooks): Promise<RecordResult> {
    const { session, writer, destination, startOrder } = this.#parts;
    let dumpError: Error | undefined;
    const dumpFailed = writer.failed.then((error) => {
      dumpError = error;
    });
    const acts: SessionActs<RecordResult> = {
      startGate: startOrder.gate,
      untilOver: (over) => {
        this.#watch(over, hooks);
        return dumpFailed;
      },
      conclude: async (_, ends) => {
        const closed = await this.#closeDump(ends);
        const counts = session.counts();
        return { ...closed, counts, ends, dumpError, ...this.#settle(counts, ends) };
      },
    };
    try {
      return await session.run(acts, hooks);
    } finally {
      startOrder.close();
      destination.keep();
    }
  }

  /**
   * Informs the engine of containers that become ready or lose their last process, while commands
   * run.
   */
  #watch(over: AbortSignal, hooks: RunHooks): void {
    const { session, checks, matched } = this.#parts;
    const { commandRun, engine } = session;
    const isOver = (): boolean => over.aborted;
    const onReady = (container: ContainerIndex): void => {
      if (isOver()) return;
      engine.noteReady(container);
      hooks.onReady?.(container);
    };
    for (const match of matched) void match.then(onReady);
    const watches = [
      runChecks(commandRun, checks, onReady, isOver),
      watchContainers(commandRun, (container) => engine.noteGone(container), isOver),
    ];
    for (const watch of watches) watch.catch((error: Error) => hooks.onWarning(error.message));
  }

  async #closeDump(
    ends: readonly CommandEnd[],
  ): Promise<Pick<RecordResult, "dumpBytes" | "durationMs">> {
    const { startNs, startHrNs, session, writer, containers } = this.#parts;
    const durationNs = process.hrtime.bigint() - startHrNs;
    const stoppedAtNs = Number((session.commandRun.stoppedAtHrNs ?? startHrNs) - startHrNs);
    const { writtenBytes } = await writer.close({
      endNs: startNs + durationNs,
      exits: exitsForDump(containers, ends, stoppedAtNs, durationNs),
    });
    return { dumpBytes: writtenBytes, durationMs: Number(durationNs) / 1e6 };
  }

  /**
   * Keeps the new recording, unless the run did nothing and an earlier recording would be replaced.
   */
  #settle(
    { connections, packets }: EngineCounts,
    ends: readonly CommandEnd[],
  ): Pick<RecordResult, "previous" | "withdrawn"> {
    const { destination } = this.#parts;
    const { previous } = destination;
    const hasStarted = connections + packets > 0 || ends.some(couldStart);
    if (hasStarted || previous === undefined) {
      destination.keep();
      return { previous, withdrawn: false };
    }
    destination.withdraw();
    return { previous: undefined, withdrawn: true };
  }

  /** Undoes the preparation, in place of {@link run}. */
  abandon(): Promise<void> {
    return this.#parts.session.abandon();
  }

  /**
   * Ends the run early: stops the commands and completes the dump. A second call kills the
   * commands.
   */
  stop(): void {
    this.#parts.session.stop();
  }

  /** The calling process has left its container. */
  noteLeft(container: ContainerIndex): void {
    this.#parts.session.engine.noteGone(container);
  }

  /** The network of a container. It exists as long as the session. */
  networkOf(container: ContainerIndex): Namespace {
    return this.#parts.session.networkOf(container);
  }

  counts(): EngineCounts {
    return this.#parts.session.counts();
  }
}

/**
 * The containers' ends, in their order. The calling process has none, but was there all the time.
 */
function exitsForDump(
  containers: readonly ContainerPlan[],
  ends: readonly CommandEnd[],
  stoppedAtNs: number,
  durationNs: bigint,
): readonly CommandExit[] {
  const left = [...ends];
  return containers.flatMap((plan) => {
    if (!hasCommand(plan)) return [{ lastedNs: Number(durationNs) }];
    const end = left.shift();
    return end ? [exitForDump(end, stoppedAtNs)] : [];
  });
}

function exitForDump(end: CommandEnd, stoppedAtNs: number): CommandExit {
  const { exitCode, signal, stopped, lastedMs } = end;
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(stopped ? { stoppedAtNs } : {}),
    lastedNs: Math.round(lastedMs * 1e6),
  };
}

function runInfo(
  { topology, identity, toolVersion, links, randomSeed, seal }: RecordOptions,
  isSeeded: boolean,
  startNs: bigint,
): RunInfo {
  return {
    toolVersion,
    subnets: topology.subnets.map(String),
    host: hostname(),
    kernel: `${kernelName()} ${release()}`,
    hardware: machine(),
    startNs,
    notes: {
      uid: identity.uid ?? String(process.getuid?.() ?? ""),
      ...(links && { links: links.specs.map(({ text }) => text).join("\n"), seed: links.seed }),
      ...(isSeeded && randomSeed !== undefined && seedingNotes(randomSeed)),
      ...(seal === undefined ? {} : { seal }),
    },
    containers: topology.containers,
  };
}
