/**
 * The life of a run's commands: started together, ended by the run's end condition, by a signal or by
 * a fault, and stopped with all that they left behind. Recording and replaying share it.
 */
import { hostname } from "node:os";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, type CommandEnd, type Identity, type OutputSink } from "./command.ts";
import { hostsText } from "./hosts.ts";
import type { Space } from "../network/space.ts";
import { ProcessSpace } from "./process-space.ts";
import type { ContainerPlan, Topology } from "../network/topology.ts";

/** When the run is over: all commands have ended, the first has, or this one has. */
export type Until = "all" | "first" | { readonly name: string };

export interface RunOptions {
  readonly identity: Identity;
  readonly until: Until;
  /** The signal that stops commands, and how long they have until SIGKILL. */
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
  readonly output: OutputSink;
}

/** Who wants to know how a run goes. */
export interface RunHooks {
  onWarning(text: string): void;
  onCommandEnd(command: Command, end: CommandEnd): void;
}

const lookMs = 10;

/** What is told when {@link CommandRun.lost} settles. */
export const keeperLost =
  "the process that keeps the commands' namespace was killed, and all commands with it";

export class CommandRun {
  readonly #space: ProcessSpace;
  readonly #options: RunOptions;
  readonly #commands: Command[] = [];
  #stopping: Promise<void> | undefined;
  /** When the commands were told to stop, in nanoseconds of `process.hrtime.bigint()`. */
  stoppedAtHrNs: bigint | undefined;
  #killNow = false;

  private constructor(space: ProcessSpace, options: RunOptions) {
    this.#space = space;
    this.#options = options;
  }

  /** Prepares the processes' namespaces. No command runs yet. */
  static async prepare(topology: Topology, options: RunOptions): Promise<CommandRun> {
    return new CommandRun(await ProcessSpace.create(hostsText(topology, machineHosts())), options);
  }

  /** A mount of /proc that lists the run's processes. */
  get procPath(): string {
    return this.#space.procPath;
  }

  /** Starts the commands of these containers. `spaces` are all containers' networks, by index. */
  start(topology: Topology, plans: readonly ContainerPlan[], spaces: readonly Space[]): void {
    for (const plan of plans) {
      const network = spaces[plan.index]?.namespace;
      if (!network) continue;
      const { identity, output } = this.#options;
      const environment = environmentFor(plan, topology);
      this.#commands.push(
        new Command({ plan, space: this.#space, network, identity, environment, output }),
      );
    }
  }

  /** Settles if all commands were killed from outside, with the process that keeps their namespace. */
  get lost(): Promise<void> {
    return this.#space.lost;
  }

  get commands(): readonly Command[] {
    return this.#commands;
  }

  /** Settles when the end condition holds: then the rest is to be stopped. */
  async untilOver(onEnd: (command: Command, end: CommandEnd) => void): Promise<void> {
    const { until } = this.#options;
    const ends = this.#commands.map(async (command) => {
      const end = await command.ended;
      if (end.signal === "SIGKILL") this.#space.lookForKeeper();
      onEnd(command, end);
    });
    const named = this.#commands.findIndex(
      ({ plan }) => typeof until === "object" && plan.name === until.name,
    );
    if (until === "first") await Promise.race(ends);
    else if (named >= 0) await ends[named];
    else await Promise.all(ends);
  }

  /**
   * Stops whatever still runs, daemons that left their session too: first with the stop signal, after
   * the grace with SIGKILL. Calling it again while it works kills at once.
   */
  stop(): Promise<void> {
    if (this.#stopping) this.#killNow = true;
    else {
      this.stoppedAtHrNs = process.hrtime.bigint();
      for (const command of this.#commands) command.markStopped();
    }
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** Frees the namespaces, killing what is left: after a fault of plg's own, say. */
  close(): void {
    for (const command of this.#commands) command.markStopped();
    this.#space.close();
  }

  async #stopAll(): Promise<void> {
    const { stopSignal, graceMs } = this.#options;
    signalAll(this.#space.members(), stopSignal);
    const killAtMs = performance.now() + graceMs;
    for (;;) {
      const left = this.#space.members();
      if (left.length === 0) break;
      if (this.#killNow || performance.now() >= killAtMs) signalAll(left, "SIGKILL");
      await sleep(lookMs);
    }
    await Promise.all(this.#commands.map(({ ended }) => ended));
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The caller's environment, and who is who in the run. */
function environmentFor(plan: ContainerPlan, { containers }: Topology): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PLG_NAME: plan.name,
    PLG_ADDRESS: plan.addresses[0],
    PLG_PEERS: containers
      .filter(({ index }) => index !== plan.index)
      .map(({ name, addresses }) => `${name}=${addresses[0]}`)
      .join(" "),
  };
}

function machineHosts(): string {
  try {
    return readFileSync("/etc/hosts", "utf8");
  } catch {
    return `127.0.0.1\tlocalhost ${hostname()}\n::1\tlocalhost\n`;
  }
}
