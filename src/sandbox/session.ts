/**
 * The skeleton of a session, for recording and replay alike: prepare, run, and free everything.
 *
 * Preparation takes steps: the network, the commands' namespaces and the engine, with steps of the
 * caller's own in between. Each step pushes how to undo it. {@link Session.abandon} and a failed
 * preparation undo them in reverse order.
 */
import type { ContainerIndex } from "../base/ids.ts";
import type { EngineCounts, EngineHost } from "../engine/host.ts";
import type { EngineTask } from "../engine/task.ts";
import type { UndoStack } from "../base/undo-stack.ts";
import { assert } from "../base/assert.ts";
import { raiseDescriptorLimit } from "../sys/descriptors.ts";
import type { Namespace } from "../sys/namespace.ts";
import { type ContainerPlan, hasCommand, type Topology } from "./network/topology.ts";
import { type NetworkOptions, Playground } from "./playground.ts";
import type { CommandEnd } from "./processes/command.ts";
import {
  CommandRun,
  keeperLost,
  type RunHooks,
  type RunOptions,
  type StartGate,
} from "./processes/run.ts";

/** A network, and commands that can be started in it. */
export interface Sandbox {
  readonly playground: Playground;
  readonly commandRun: CommandRun;
}

/**
 * Prepares the network of `topology` and the commands of its containers `live`. `isSparse`: only
 * those get a namespace, because the others are hosts of a capture, of which there may be
 * thousands.
 */
export async function prepareSandbox(
  topology: Topology,
  live: readonly ContainerPlan[],
  options: RunOptions & NetworkOptions & { readonly isSparse?: boolean },
  hooks: RunHooks,
  undos: UndoStack,
): Promise<Sandbox> {
  const isLive = new Set(live.map(({ index }) => index));
  const hasNetwork = topology.containers.map(
    ({ index }) => options.isSparse !== true || isLive.has(index),
  );
  const playground = new Playground(topology.subnets, hasNetwork, options);
  undos.push(() => playground.close());
  const withCommands = live.filter(hasCommand);
  const commandRun = await CommandRun.prepare(topology, withCommands, playground.spaces, options);
  undos.push(() => commandRun.close());
  if (commandRun.unseeded !== undefined) hooks.onWarning(commandRun.unseeded);
  return { playground, commandRun };
}

/** How one kind of session differs from another while it runs. */
export interface SessionActs<Result> {
  /** Holds back commands: see {@link CommandRun.start}. */
  readonly startGate?: StartGate;
  /**
   * Called when the commands have started. Settles when the session is over even though commands
   * still run. `over` is aborted when it is over for any reason.
   */
  untilOver(over: AbortSignal): Promise<unknown>;
  /** Settles when the remaining commands may be stopped. */
  beforeStop?(): Promise<unknown>;
  /** Called when the commands and the engine have ended, with the engine's result. */
  conclude(engineResult: unknown, ends: readonly CommandEnd[]): Promise<Result> | Result;
}

/** A prepared session, which runs once. */
export class Session {
  readonly commandRun: CommandRun;
  readonly engine: EngineHost;
  readonly #playground: Playground;
  readonly #undos: UndoStack;

  private constructor(sandbox: Sandbox, engine: EngineHost, undos: UndoStack) {
    this.commandRun = sandbox.commandRun;
    this.engine = engine;
    this.#playground = sandbox.playground;
    this.#undos = undos;
  }

  /** Starts the engine from the compiled module `url`. Afterwards the commands can start. */
  static async prepare<Details extends object>(
    sandbox: Sandbox,
    url: URL,
    details: Details & Pick<EngineTask, "startHrNs">,
    hooks: RunHooks,
    undos: UndoStack,
  ): Promise<Session> {
    const { playground, commandRun } = sandbox;
    const onWarning = (text: string): void => hooks.onWarning(text);
    const engine = await playground.startEngine(url, commandRun.procPath, details, onWarning);
    undos.push(() => engine.finish());
    await commandRun.ready();
    return new Session(sandbox, engine, undos);
  }

  /** Runs the commands until the session is over, stops those that remain, and frees everything. */
  async run<Result>(acts: SessionActs<Result>, hooks: RunHooks): Promise<Result> {
    const { commandRun, engine } = this;
    let restoreLimit: (() => void) | undefined;
    let closing: Promise<void> | undefined;
    void commandRun.lost.then(() => hooks.onWarning(keeperLost));
    try {
      await commandRun.start(acts.startGate);
      // After the start, because the commands keep the caller's limits.
      restoreLimit = raiseDescriptorLimit();
      hooks.onStart?.();
      await this.#untilOver(acts, hooks);
      await Promise.race([acts.beforeStop?.(), engine.failed]);
      await Promise.race([commandRun.stop(), engine.failed]);
      const engineResult = await engine.finish();
      // The kernel takes a while to end namespaces.
      closing = commandRun.close();
      const [result] = await Promise.all([acts.conclude(engineResult, this.#ends()), closing]);
      return result;
    } finally {
      restoreLimit?.();
      await (closing ?? commandRun.close());
      this.#playground.close();
    }
  }

  async #untilOver(acts: SessionActs<unknown>, hooks: RunHooks): Promise<void> {
    const { commandRun, engine } = this;
    const over = new AbortController();
    try {
      const ended = commandRun.untilOver((command, end) => hooks.onCommandEnd(command, end));
      const isOver = acts.untilOver(over.signal);
      await Promise.race([ended, isOver, engine.failed, commandRun.failed]);
    } finally {
      over.abort();
    }
  }

  #ends(): readonly CommandEnd[] {
    return this.commandRun.commands.map(({ end }) => end).filter((end) => end !== undefined);
  }

  /** Undoes the preparation, in place of {@link run}. */
  abandon(): Promise<void> {
    return this.#undos.undoAll();
  }

  /** Stops the commands, and so ends the session early. A second call kills them. */
  stop(): void {
    void this.commandRun.stop();
  }

  counts(): EngineCounts {
    return this.engine.counts();
  }

  /** The network of a container. It exists as long as the session. */
  networkOf(container: ContainerIndex): Namespace {
    const space = this.#playground.spaces[container];
    assert(space, "the container exists");
    return space.namespace;
  }
}
