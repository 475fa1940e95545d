/**
 * A recording from start to end, on the main thread: it connects playground, dump, engine and
 * commands.
 */
import { hostname, machine, release, type as kernelName } from "node:os";
import { allOrNothing } from "../base/all-or-nothing.ts";
import { seedingNotes } from "../determinism/core/scheme.ts";
import type { CommandExit, RunInfo } from "../dump/format/schema.ts";
import { DumpDestination } from "../dump/store/destination.ts";
import { type DumpWriter, startWriter } from "../dump/store/writer.ts";
import { type CommandEnd, couldStart } from "../sandbox/processes/command.ts";
import type { EngineCounts, EngineHost } from "../engine/host.ts";
import { type NetworkOptions, Playground } from "../sandbox/playground.ts";
import {
  CommandRun,
  keeperLost,
  type RunHooks,
  type RunOptions,
} from "../sandbox/processes/run.ts";
import { raiseDescriptorLimit } from "../sys/descriptors.ts";
import type { Topology } from "../sandbox/network/topology.ts";
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

/** The parts of a session. */
interface RecordParts {
  /** In nanoseconds since the epoch. */
  readonly startNs: bigint;
  /** The same moment, in nanoseconds of `process.hrtime.bigint()`. */
  readonly startHrNs: bigint;
  readonly destination: DumpDestination;
  readonly playground: Playground;
  readonly run: CommandRun;
  readonly writer: DumpWriter;
  readonly engine: EngineHost;
  readonly startOrder: StartOrder;
  readonly checks: readonly ReadyCheck[];
  /** See {@link watchLines}. */
  readonly matched: readonly Promise<number>[];
  readonly hooks: RunHooks;
}

export class RecordSession {
  readonly #parts: RecordParts;
  #isOver = false;

  private constructor(parts: RecordParts) {
    this.#parts = parts;
  }

  /**
   * Prepares everything except the commands, which do not run yet. If it throws, it leaves nothing
   * behind, and the file at the dump's path is unchanged.
   */
  static prepare(options: RecordOptions, hooks: RunHooks): Promise<RecordSession> {
    const { topology } = options;
    return allOrNothing(async (onFailure) => {
      const destination = DumpDestination.claim(options.file, options);
      onFailure(() => destination.withdraw());
      const { length } = topology.containers;
      const playground = new Playground(topology.subnets, length, options);
      onFailure(() => playground.close());
      const { spaces } = playground;
      const checks = options.ready ?? [];
      const { output, matched } = watchLines(options.output, checks);
      const watched = { ...options, output };
      const run = await CommandRun.prepare(topology, topology.containers, spaces, watched);
      onFailure(() => run.close());
      if (run.unseeded !== undefined) hooks.onWarning(run.unseeded);
      const startHrNs = process.hrtime.bigint();
      // Reads the time of day only once, because it may be set during the run.
      const startNs = BigInt(Date.now()) * 1_000_000n;
      const info = runInfo(options, run.isSeeded, startNs);
      const writer = startWriter(destination.open(), info);
      onFailure(() => writer.abort());
      const engine = await playground.startEngine<RecordDetails>(
        new URL("./engine.js", import.meta.url),
        run.procPath,
        {
          startHrNs,
          sink: writer.sinkStore,
          waitListenMs: options.waitListenMs,
          unready: checks.map(({ container }) => container),
          names: topology.containers.map(({ name }) => name),
        },
        (text) => hooks.onWarning(text),
      );
      onFailure(() => engine.finish());
      await run.ready();
      const { containers } = topology;
      const startOrder = new StartOrder({ needs: options.needs ?? [], containers, spaces, run });
      const parts = {
        startNs,
        startHrNs,
        destination,
        playground,
        run,
        writer,
        engine,
        startOrder,
        checks,
        matched,
        hooks,
      };
      return new RecordSession(parts);
    });
  }

  /** Runs the commands to their end and closes the dump. */
  async run(hooks: RunHooks): Promise<RecordResult> {
    const { run, playground, writer, engine, destination, startOrder } = this.#parts;
    let restoreLimit: (() => void) | undefined;
    let dumpError: Error | undefined;
    const dumpFailed = writer.failed.then((error) => {
      dumpError = error;
    });
    void run.lost.then(() => hooks.onWarning(keeperLost));
    try {
      await run.start(startOrder.gate);
      // After the start, because the commands keep the caller's limits.
      restoreLimit = raiseDescriptorLimit();
      this.#watch();
      await Promise.race([
        run.untilOver((command, end) => hooks.onCommandEnd(command, end)),
        dumpFailed,
        engine.failed,
        run.failed,
      ]);
      this.#isOver = true;
      await Promise.race([run.stop(), engine.failed]);
      await engine.finish();
      const ends = run.commands.map(({ end }) => end).filter((end) => end !== undefined);
      const closed = await this.#closeDump(ends);
      const counts = engine.counts();
      const settled = this.#settle(counts, ends);
      return { ...closed, counts, ends, dumpError, ...settled };
    } finally {
      restoreLimit?.();
      startOrder.close();
      await run.close();
      playground.close();
      destination.keep();
    }
  }

  /**
   * Informs the engine of containers that become ready or lose their last process, while commands
   * run.
   */
  #watch(): void {
    const { run, engine, checks, matched, hooks } = this.#parts;
    const isOver = (): boolean => this.#isOver;
    const onReady = (container: number): void => {
      if (!isOver()) engine.tellReady(container);
    };
    for (const match of matched) void match.then(onReady);
    const watches = [
      runChecks(run, checks, onReady, isOver),
      watchContainers(run, (container) => engine.tellGone(container), isOver),
    ];
    for (const watch of watches) watch.catch((error: Error) => hooks.onWarning(error.message));
  }

  async #closeDump(
    ends: readonly CommandEnd[],
  ): Promise<Pick<RecordResult, "dumpBytes" | "durationMs">> {
    const { startNs, startHrNs, run, writer } = this.#parts;
    const durationNs = process.hrtime.bigint() - startHrNs;
    const stoppedAtNs = Number((run.stoppedAtHrNs ?? startHrNs) - startHrNs);
    const { writtenBytes } = await writer.close({
      endNs: startNs + durationNs,
      exits: ends.map((end) => exitForDump(end, stoppedAtNs)),
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
  async abandon(): Promise<void> {
    const { destination, run, playground, writer, engine } = this.#parts;
    await engine.finish();
    await writer.abort();
    await run.close();
    playground.close();
    destination.withdraw();
  }

  /**
   * Ends the run early: stops the commands and completes the dump. A second call kills the
   * commands.
   */
  stop(): void {
    void this.#parts.run.stop();
  }

  counts(): EngineCounts {
    return this.#parts.engine.counts();
  }
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
