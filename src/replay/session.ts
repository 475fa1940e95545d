/** A replay from start to end, on the main thread: index, playground, engine, the live commands. */
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../base/errors.ts";
import { readDump } from "../dump/reader.ts";
import type { CommandExit } from "../dump/schema.ts";
import { Subnet } from "../net/subnet.ts";
import type { CommandEnd } from "../sandbox/command.ts";
import type { EngineCounts, EngineHost } from "../sandbox/engine-host.ts";
import { Playground } from "../sandbox/playground.ts";
import { CommandRun, keeperLost, type RunHooks, type RunOptions } from "../sandbox/run.ts";
import { type LinkSetup, quietMsOf } from "../switch/link-plan.ts";
import { raiseDescriptorLimit } from "../sys/descriptors.ts";
import type { CommandLine, ContainerPlan, Topology } from "../sandbox/topology.ts";
import { type ReplayDetails, type ReplayOutcome, ReplayCounter } from "./engine-details.ts";
import type { Mask } from "./masks.ts";
import { RecordingBuilder } from "./recording-builder.ts";
import { RecordingIndex, type RecordingStore } from "./recording.ts";
import type { ScheduleOptions } from "./schedule.ts";

/** A dump that was read for replay: its index, and how its commands ended. */
export interface Recording {
  readonly path: string;
  readonly store: RecordingStore;
  readonly index: RecordingIndex;
  /** By container; undefined where the recording does not tell, as after a kill. */
  readonly exits: readonly (CommandExit | undefined)[];
  /** Where the file was torn off, if it was. */
  readonly tornAt: number | undefined;
}

export interface ReplayOptions extends RunOptions {
  readonly recording: Recording;
  /** What runs in the containers, by index, and which of them run. */
  readonly topology: Topology;
  readonly live: readonly ContainerPlan[];
  readonly schedule: ScheduleOptions;
  readonly masks: readonly Mask[];
  readonly compare: boolean;
  readonly mostDifferences: number;
  /** What lies between the live processes and their peers. */
  readonly links: LinkSetup | undefined;
}

export interface ReplayResult extends ReplayOutcome {
  readonly counts: EngineCounts;
  readonly durationMs: number;
  /** In the live commands' order. */
  readonly ends: readonly CommandEnd[];
}

/** How far a replay is, for a status line. */
export interface ReplayProgress {
  readonly played: number;
  readonly total: number;
  readonly differences: number;
  /** The event that is waited for, or -1. */
  readonly waitingFor: number;
}

const lookMs = 20;

/** How often the reading of a dump lets others have their turn, and tells how far it is. */
const pauseEveryMs = 100;
/** How many items are read between two looks at the clock. */
const itemsPerLook = 64;

/**
 * Reads a dump once, from end to end, which takes a while for a large one: `onRead` is told again and again
 * how many bytes are behind. Throws a DumpError if it is not one, or damaged.
 */
export async function readRecording(
  path: string,
  onRead: (readBytes: number) => void = () => {},
  everyMs: number = pauseEveryMs,
): Promise<Recording> {
  const builder = new RecordingBuilder();
  const exits: (CommandExit | undefined)[] = [];
  const items = readDump(path);
  let pauseAtMs = performance.now() + everyMs;
  for (let count = 1; ; count++) {
    const step = items.next();
    if (step.done) {
      const store = builder.finish();
      const index = new RecordingIndex(store);
      return { path, store, index, exits, tornAt: step.value.tornAt };
    }
    if (step.value.type === "exit") exits[step.value.container] = step.value.exit;
    builder.add(step.value);
    if (count % itemsPerLook !== 0 || performance.now() < pauseAtMs) continue;
    if ("position" in step.value) onRead(step.value.position);
    await setImmediate();
    pauseAtMs = performance.now() + everyMs;
  }
}

/**
 * By container, the commands that are to run instead of the recorded ones: given by name, each for its own
 * container, or without names one for each in order.
 */
export function givenCommands(
  { index }: Recording,
  commands: readonly CommandLine[],
): readonly (string | undefined)[] {
  const names = index.run.containers.map(({ name }) => name);
  return commands.some(({ name }) => name !== undefined)
    ? commandsByName(commands, names)
    : commandsInOrder(commands, names);
}

/** The containers of the recording, with the commands that were given. */
export function recordedTopology(
  { index }: Recording,
  given: readonly (string | undefined)[],
): Topology {
  const { containers, subnets } = index.run;
  return {
    subnets: subnets.map((text) => Subnet.parse(text)),
    containers: containers.map(({ name, command, addresses }, i) => ({
      index: i,
      name,
      command: given[i] ?? command,
      addresses,
    })),
  };
}

function commandsInOrder(commands: readonly CommandLine[], names: readonly string[]): string[] {
  if (commands.length > 0 && commands.length !== names.length)
    throw new UsageError(
      `the recording has ${names.length} containers (${names.join(", ")}), but ${commands.length} commands were given: give one for each, or name=command`,
    );
  return commands.map(({ command }) => command);
}

function commandsByName(
  commands: readonly CommandLine[],
  names: readonly string[],
): (string | undefined)[] {
  for (const { name, command } of commands)
    if (name === undefined || !names.includes(name))
      throw new UsageError(
        `'${name ?? command}' names none of the recorded containers (${names.join(", ")}): write name=command`,
      );
  return names.map((name) => commands.findLast((line) => line.name === name)?.command);
}

/** What comes over a link comes later: so long there is more patience. */
function patientOverLinks(options: ReplayOptions): ReplayOptions {
  const { schedule, links } = options;
  const patienceMs = schedule.patienceMs + quietMsOf(links);
  return { ...options, schedule: { ...schedule, patienceMs } };
}

/** Whether a command came to its end in the recording, without the recorder stopping it. */
function endedByItself(exit: CommandExit | undefined): boolean {
  return exit?.exitCode !== undefined && exit.stoppedAtNs === undefined;
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

  /** Prepares everything up to the commands, which do not run yet. */
  static async prepare(given: ReplayOptions, hooks: RunHooks): Promise<ReplaySession> {
    const options = patientOverLinks(given);
    const { topology, recording } = options;
    const { length } = topology.containers;
    const startHrNs = process.hrtime.bigint();
    const playground = new Playground(topology.subnets, length, startHrNs, options);
    const run = await CommandRun.prepare(topology, options);
    const replayCounters = new SharedArrayBuffer(ReplayCounter.size * 8);
    const engine = await playground.startEngine<ReplayDetails>(
      new URL("./engine.js", import.meta.url),
      {
        path: recording.path,
        recording: recording.store,
        live: options.live.map(({ index }) => index),
        schedule: options.schedule,
        masks: options.masks,
        compare: options.compare,
        mostDifferences: options.mostDifferences,
        replayCounters,
      },
      (text) => hooks.onWarning(text),
    );
    return new ReplaySession(options, run, playground, engine, new Float64Array(replayCounters));
  }

  /** Runs the live commands until everything is played and they have ended or are no longer needed. */
  async run(hooks: RunHooks): Promise<ReplayResult> {
    void this.#run.lost.then(() => hooks.onWarning(keeperLost));
    try {
      this.#run.start(this.#options.topology, this.#options.live, this.#playground.spaces);
      // Not before: the commands have the caller's limits.
      raiseDescriptorLimit();
      const ended = this.#run.untilOver((command, end) => {
        this.#engine.tellGone(command.plan.index);
        hooks.onCommandEnd(command, end);
      });
      await Promise.race([ended, this.#untilPlayed(), this.#engine.failed]);
      await this.#untilJudged();
      await Promise.race([this.#run.stop(), this.#engine.failed]);
      const outcome = (await this.#engine.finish()) as ReplayOutcome;
      const ends = this.#run.commands.map(({ end }) => end).filter((end) => end !== undefined);
      const durationMs = performance.now() - this.#startedMs;
      return { ...outcome, counts: this.#engine.counts(), durationMs, ends };
    } finally {
      this.#run.close();
      this.#playground.close();
    }
  }

  /** Ends the replay early. Again: the commands are killed. */
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

  #isPlayed(): boolean {
    return this.#progress[ReplayCounter.done] === 1;
  }

  /** Everything was played; commands that ended by themselves in the recording have the patience to do so. */
  async #untilPlayed(): Promise<void> {
    while (!this.#isPlayed()) await sleep(lookMs);
    const { exits } = this.#options.recording;
    const awaited = this.#run.commands.filter(({ plan }) => endedByItself(exits[plan.index]));
    const patience = sleep(this.#options.schedule.patienceMs);
    await Promise.race([Promise.all(awaited.map(({ ended }) => ended)), patience]);
  }

  /** The commands may have ended before the engine has seen all they did; it gives up what is missing. */
  async #untilJudged(): Promise<void> {
    const untilMs = performance.now() + 2 * this.#options.schedule.patienceMs;
    const runsOn = (): boolean => this.#run.commands.some((command) => command.isRunning());
    while (!this.#stopped && !this.#isPlayed() && !runsOn() && performance.now() < untilMs)
      await sleep(lookMs);
  }
}
