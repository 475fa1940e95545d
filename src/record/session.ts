/** A recording from start to end, on the main thread: playground, dump, engine, commands. */
import { hostname, machine, release, type as kernelName } from "node:os";
import type { CommandExit, RunInfo } from "../dump/format/schema.ts";
import { checkDumpPath, openDumpFile } from "../dump/store/file.ts";
import { type DumpWriter, startWriter } from "../dump/store/writer.ts";
import type { CommandEnd } from "../sandbox/processes/command.ts";
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

export interface RecordOptions extends RunOptions, NetworkOptions {
  readonly topology: Topology;
  readonly file: string;
  readonly waitListenMs: number;
  readonly toolVersion: string;
  /** What proves to a later replay that this user ran these commands; replay asks before it runs them if there is none. */
  readonly seal?: string | undefined;
}

export interface RecordResult {
  readonly counts: EngineCounts;
  readonly dumpBytes: number;
  readonly durationMs: number;
  /** In the commands' order. */
  readonly ends: readonly CommandEnd[];
  /** Why the dump does not hold the whole run, if so. */
  readonly dumpError: Error | undefined;
}

export class RecordSession {
  readonly #options: RecordOptions;
  readonly #startedMs = performance.now();
  /** Since the epoch. The time of day is asked once: it may be set while the run goes on. */
  readonly #startNs: bigint;
  readonly #run: CommandRun;
  readonly #playground: Playground;
  readonly #writer: DumpWriter;
  readonly #engine: EngineHost;

  private constructor(
    options: RecordOptions,
    startNs: bigint,
    run: CommandRun,
    playground: Playground,
    writer: DumpWriter,
    engine: EngineHost,
  ) {
    this.#options = options;
    this.#startNs = startNs;
    this.#run = run;
    this.#playground = playground;
    this.#writer = writer;
    this.#engine = engine;
  }

  /** Prepares everything up to the commands, which do not run yet. */
  static async prepare(options: RecordOptions, hooks: RunHooks): Promise<RecordSession> {
    const { topology } = options;
    // Before namespaces are made for nothing.
    checkDumpPath(options.file);
    const startHrNs = process.hrtime.bigint();
    const startNs = BigInt(Date.now()) * 1_000_000n;
    const playground = new Playground(
      topology.subnets,
      topology.containers.length,
      startHrNs,
      options,
    );
    const run = await CommandRun.prepare(topology, options);
    const writer = startWriter(openDumpFile(options.file), runInfo(options, startNs));
    const engine = await playground.startEngine<RecordDetails>(
      new URL("./engine.js", import.meta.url),
      { sink: writer.sinkStore, waitListenMs: options.waitListenMs },
      (text) => hooks.onWarning(text),
    );
    return new RecordSession(options, startNs, run, playground, writer, engine);
  }

  /** Runs the commands to their end and closes the dump. */
  async run(hooks: RunHooks): Promise<RecordResult> {
    const { topology } = this.#options;
    let dumpError: Error | undefined;
    const dumpFailed = this.#writer.failed.then((error) => {
      dumpError = error;
    });
    void this.#run.lost.then(() => hooks.onWarning(keeperLost));
    try {
      this.#run.start(topology, topology.containers, this.#playground.spaces);
      // Not before: the commands have the caller's limits.
      raiseDescriptorLimit();
      await Promise.race([
        this.#run.untilOver((command, end) => hooks.onCommandEnd(command, end)),
        dumpFailed,
        this.#engine.failed,
      ]);
      await Promise.race([this.#run.stop(), this.#engine.failed]);
      await this.#engine.finish();
      const ends = this.#run.commands.map(({ end }) => end).filter((end) => end !== undefined);
      const { startHrNs } = this.#playground.task;
      const stoppedAtNs = Number((this.#run.stoppedAtHrNs ?? startHrNs) - startHrNs);
      const { writtenBytes } = await this.#writer.close({
        endNs: this.#startNs + process.hrtime.bigint() - startHrNs,
        exits: ends.map((end) => exitForDump(end, stoppedAtNs)),
      });
      const counts = this.#engine.counts();
      const durationMs = performance.now() - this.#startedMs;
      return { counts, dumpBytes: writtenBytes, durationMs, ends, dumpError };
    } finally {
      this.#run.close();
      this.#playground.close();
    }
  }

  /** Ends the run early: the commands are stopped, the dump is finished. Again: they are killed. */
  stop(): void {
    void this.#run.stop();
  }

  counts(): EngineCounts {
    return this.#engine.counts();
  }
}

function exitForDump({ exitCode, signal, stopped }: CommandEnd, stoppedAtNs: number): CommandExit {
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(stopped ? { stoppedAtNs } : {}),
  };
}

function runInfo(
  { topology, identity, toolVersion, links, seal }: RecordOptions,
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
      ...(seal === undefined ? {} : { seal }),
    },
    containers: topology.containers,
  };
}
