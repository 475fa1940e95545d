/**
 * The life of a run's commands, for recording and replay alike. They start together. The run's end
 * condition, a signal or a fault ends them. They are then stopped together with the processes that
 * they left behind.
 */
import { randomInt } from "node:crypto";
import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerIndex } from "../../base/ids.ts";
import { allOrNothing } from "../../base/undo-stack.ts";
import { assert } from "../../base/assert.ts";
import { commandFilter, gapsOf, supervise } from "../../determinism/seeding.ts";
import type { RecordedClock } from "../../determinism/supervisor-task.ts";
import { SupervisorHost } from "../../determinism/supervisor-host.ts";
import {
  Command,
  type CommandEnd,
  type Identity,
  type NotStarted,
  type OutputSink,
  programFor,
} from "./command.ts";
import type { Namespace } from "../../sys/namespace.ts";
import { hostsText } from "./hosts.ts";
import { machineHosts } from "./machine-hosts.ts";
import type { Fd } from "../../base/units.ts";
import { openFuse } from "../../sys/fuse.ts";
import type { Space } from "../network/space.ts";
import type { Compartment } from "./compartment.ts";
import { ProcessSpace } from "./process-space.ts";
import { type Program, Spawner } from "./spawner.ts";
import type { SpawnRequest, Surroundings } from "./spawner-task.ts";
import type { ContainerPlan, Topology } from "../network/topology.ts";

/** The end condition: all commands have ended, the first has, or the named one has. */
export type Until = "all" | "first" | { readonly name: string };

export interface RunOptions {
  readonly identity: Identity;
  readonly until: Until;
  /** The signal that stops commands, and their time to end before SIGKILL. */
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
  readonly output: OutputSink;
  /** The seed of the commands' random bytes; undefined for the kernel's own. */
  readonly randomSeed?: number | undefined;
  /** The time of day that the commands see; undefined for the machine's own. */
  readonly clock?: RecordedClock | undefined;
  /** Environment variables in addition to the caller's. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /**
   * The run does not end by itself before this settles: until then, the calling process may still
   * use the run's network.
   */
  readonly notBefore?: Promise<unknown> | undefined;
}

/** Observes a run. */
export interface RunHooks {
  /** The commands have been started. */
  onStart?(): void;
  /** The container has become ready. */
  onReady?(container: number): void;
  onWarning(text: string): void;
  onCommandEnd(command: Command, end: CommandEnd): void;
}

/**
 * By container: undefined to start its command now, or a promise that settles when it may start
 * (undefined), or with the reason why it never will.
 */
export type StartGate = (container: ContainerIndex) => Promise<string | undefined> | undefined;

const lookMs = 10;
/** The number of seeds to choose from if the caller gave none. */
const ownSeeds = 2 ** 48 - 1;

/** The message for a settled {@link CommandRun.lost}. */
export const keeperLost =
  "the process that keeps the commands' namespace was killed, and all commands with it";

/** A command's container. */
interface Place {
  readonly plan: ContainerPlan;
  readonly network: Namespace;
  readonly compartment: Compartment;
}

export class CommandRun {
  readonly #topology: Topology;
  /** The FUSE device behind /dev/urandom, if any. */
  readonly #device: Fd | undefined;
  readonly #space: ProcessSpace;
  readonly #spawner: Spawner;
  readonly #options: RunOptions;
  readonly #supervisor: SupervisorHost | undefined;
  #furnished: Promise<void> = Promise.resolve();
  #places: readonly Place[] = [];
  /** The compartment of checks. */
  #checks: Promise<Compartment> | undefined;
  readonly #commands: Command[] = [];
  #stopping: Promise<void> | undefined;
  /** The time at which {@link stop} began, in nanoseconds of `process.hrtime.bigint()`. */
  stoppedAtHrNs: bigint | undefined;
  #killNow = false;
  #requestStop: () => void = () => {};
  /**
   * Settles when {@link stop} or {@link close} begins: commands that were held back never start.
   */
  readonly #stopRequested = new Promise<void>((resolve) => (this.#requestStop = resolve));
  #onFault: (error: Error) => void = () => {};
  /** Rejects if a thread behind the commands dies, which is a bug. Never resolves. */
  readonly failed: Promise<never> = new Promise((_, reject) => {
    this.#onFault = reject;
  });

  private constructor(
    topology: Topology,
    space: ProcessSpace,
    spawner: Spawner,
    options: RunOptions,
    device: Fd | undefined,
    supervisor: SupervisorHost | undefined,
  ) {
    this.#topology = topology;
    this.#supervisor = supervisor;
    this.#device = device;
    this.#space = space;
    this.#spawner = spawner;
    this.#options = options;
    // Callers race this with the commands' end; a rejection without a caller must not count as
    // unhandled.
    this.failed.catch(() => {});
  }

  /**
   * Prepares the namespaces for the processes of these containers, and the thread that starts them.
   * No command runs yet; {@link ready} says when one can. `spaces` holds all containers' networks,
   * by index.
   */
  static prepare(
    topology: Topology,
    live: readonly ContainerPlan[],
    spaces: readonly (Space | undefined)[],
    options: RunOptions,
  ): Promise<CommandRun> {
    const answered = {
      randomBytes: options.randomSeed !== undefined,
      timeOfDay: options.clock !== undefined,
    };
    const isAnswered = answered.randomBytes || answered.timeOfDay;
    const filter = isAnswered ? commandFilter(answered) : undefined;
    return allOrNothing(async (undos) => {
      const device = filter && answered.randomBytes ? openFuse() : undefined;
      undos.push(() => device !== undefined && closeSync(device));
      // All three start slowly, so they start in parallel.
      const supervisor = filter && new SupervisorHost();
      undos.push(() => supervisor?.close());
      const spawning = Spawner.start(filter);
      undos.push(async () => (await spawning).close());
      const creating = ProcessSpace.create(hostsText(topology, machineHosts()), device);
      undos.push(async () => (await creating).close());
      const [space, spawner] = await Promise.all([creating, spawning]);
      const run = new CommandRun(topology, space, spawner, options, device, supervisor);
      run.#furnished = run.#furnish(live, spaces);
      // Callers of `ready` get the failure.
      run.#furnished.catch(() => {});
      return run;
    });
  }

  /** Settles when commands can be started. Rejects with a {@link MachineError} if they cannot. */
  ready(): Promise<void> {
    return Promise.race([this.#furnished, this.failed]);
  }

  async #furnish(
    live: readonly ContainerPlan[],
    spaces: readonly (Space | undefined)[],
  ): Promise<void> {
    const places = live.flatMap((plan) => {
      const network = spaces[plan.index]?.namespace;
      return network ? [{ plan, network, index: plan.index, name: plan.name }] : [];
    });
    this.#spawner.failed.catch((error: Error) => this.#onFault(error));
    const { listener } = this.#spawner;
    if (listener !== undefined && this.#supervisor) {
      const { randomSeed: seed = randomInt(ownSeeds), clock } = this.#options;
      const sources = { seed, clock, device: this.#device };
      this.#supervisor.failed.catch((error: Error) => this.#onFault(error));
      supervise(this.#supervisor, listener, sources, places);
    }
    this.#places = await Promise.all(
      places.map(async (place) => ({
        ...place,
        compartment: await this.#space.addCompartment(this.#spawner),
      })),
    );
  }

  /** A mount of /proc that lists the run's processes, where possible. */
  get procPath(): string {
    return this.#space.procPath;
  }

  /** Whether the commands' random bytes follow from the seed. */
  get isSeeded(): boolean {
    return this.#spawner.listener !== undefined && this.#options.randomSeed !== undefined;
  }

  /** Why the random bytes of a container may differ from the recorded ones, as sentences. */
  gapsOf(container: ContainerIndex): readonly string[] {
    return this.isSeeded ? gapsOf(container, this.#supervisor?.gaps ?? [], this.#device) : [];
  }

  /** Explains why the random bytes do not follow from the seed, if they should. */
  get unseeded(): string | undefined {
    if (this.#options.randomSeed === undefined || this.isSeeded) return undefined;
    const reason = this.#spawner.refusal ?? `plg knows no filter for the processor ${process.arch}`;
    return `the commands' random bytes cannot follow from a seed (${reason}), so encrypted sessions differ in replay: see 'plg doctor', or run without a seed`;
  }

  /**
   * Starts the commands: together, except those that `gate` holds back. It returns a promise for
   * each of them, which settles when the command may start, or with the reason why it never will.
   */
  async start(gate: StartGate = () => undefined): Promise<void> {
    const { output } = this.#options;
    const starts = await Promise.all(
      this.#places.map(async (place) => {
        const held = gate(place.plan.index);
        return held === undefined
          ? this.#startOne(place)
          : { starting: this.#startLater(place, held) };
      }),
    );
    this.#places.forEach(({ plan }, i) => {
      const start = starts[i];
      assert(start, "each place has its command");
      this.#commands.push(new Command(plan, "starting" in start ? start.starting : start, output));
    });
  }

  async #startLater(
    place: Place,
    held: Promise<string | undefined>,
  ): Promise<Program | NotStarted> {
    const stopped = this.#stopRequested.then(() => "the run is over");
    const notStarted = await Promise.race([held, stopped]);
    if (notStarted !== undefined) return { notStarted };
    try {
      return await this.#startOne(place);
    } catch (error) {
      return { notStarted: (error as Error).message };
    }
  }

  #startOne({ plan, network, compartment }: Place): Promise<Program> {
    const program = this.#programOf(plan, plan.command);
    return this.#space.spawn(this.#spawner, compartment, network, program);
  }

  #programOf(plan: ContainerPlan, command: string): Omit<SpawnRequest, keyof Surroundings> {
    const { identity, environment } = this.#options;
    const { env, cwd = process.cwd(), uid = identity.uid, gid = identity.gid } = plan.launch ?? {};
    return {
      ...programFor(command, { ...identity, uid, gid }),
      cwd,
      env: { ...environmentFor(plan, this.#topology), ...environment, ...env },
    };
  }

  /** Whether this container still has processes. */
  hasProcesses(container: ContainerIndex): boolean {
    const place = this.#placeOf(container);
    return this.#space.members(place.compartment).length > 0;
  }

  /**
   * Runs another command in this container's network and returns whether it succeeded. Its output
   * is discarded, and it takes no PIDs from the container.
   */
  async check(container: ContainerIndex, command: string): Promise<boolean> {
    const { plan, network } = this.#placeOf(container);
    this.#checks ??= this.#space.addCompartment(this.#spawner);
    const program = this.#programOf(plan, command);
    const { stdout, stderr, ended } = await this.#space.spawn(
      this.#spawner,
      await this.#checks,
      network,
      program,
    );
    for (const stream of [stdout, stderr]) stream.on("error", () => {}).resume();
    const end = await ended;
    return "exitCode" in end && end.exitCode === 0;
  }

  #placeOf(container: ContainerIndex): Place {
    const place = this.#places.find(({ plan }) => plan.index === container);
    assert(place, "the container runs a command");
    return place;
  }

  /**
   * Settles if the process that keeps the commands' namespace was killed from outside, and all
   * commands with it.
   */
  get lost(): Promise<void> {
    return this.#space.lost;
  }

  get commands(): readonly Command[] {
    return this.#commands;
  }

  /** Settles when the end condition holds. The caller then stops the rest. */
  async untilOver(onEnd: (command: Command, end: CommandEnd) => void): Promise<void> {
    const { until, notBefore } = this.#options;
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
    await notBefore;
  }

  /**
   * Stops all remaining processes, including daemons that left their session: first with the stop
   * signal, after the grace period with SIGKILL. A second call during the grace period kills them
   * at once.
   */
  stop(): Promise<void> {
    if (this.#stopping) this.#killNow = true;
    else {
      this.#requestStop();
      this.stoppedAtHrNs = process.hrtime.bigint();
      for (const command of this.#commands) command.markStopped();
    }
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /**
   * Kills all remaining processes and frees the namespaces, for example after a fault of plg's own.
   */
  async close(): Promise<void> {
    this.#requestStop();
    for (const command of this.#commands) command.markStopped();
    await this.#space.close();
    await this.#supervisor?.close();
    await this.#spawner.close();
    if (this.#device !== undefined) closeSync(this.#device);
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
      // The process has already ended.
    }
  }
}

/** The caller's environment, and the names and addresses of the run. */
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
