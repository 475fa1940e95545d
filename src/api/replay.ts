/** Replaying, for programs. */
import { isSameName } from "../base/container-name.ts";
import { PlgError } from "../base/errors.ts";
import type { EngineCounts } from "../engine/host.ts";
import { readRecording, type Recording } from "../recording/load/read-recording.ts";
import { parseMask } from "../replay/compare/parse-mask.ts";
import type { Mask } from "../replay/compare/masks.ts";
import type { DifferenceList } from "../replay/findings/differences.ts";
import type { Order, ScheduleOptions } from "../replay/schedule/schedule.ts";
import { ReplaySession, type ReplayOptions as SessionOptions } from "../replay/session.ts";
import { givenCommands, recordedTopology } from "../replay/topology.ts";
import type { ContainerPlan, Topology } from "../sandbox/network/topology.ts";
import { commandLineOf, type Containers, listContainers } from "./containers.ts";
import { type ContainerExit, RunEvents } from "./events.ts";
import { liveContainers } from "./live-containers.ts";
import { linksOf } from "./network.ts";
import { isOwnRecording } from "./own-recordings.ts";
import { Run } from "./run.ts";
import { closedGate, exitsOf, startSession } from "./session-run.ts";
import { sourcesOf } from "./sources.ts";
import { callerName, runOptionsOf, type RunSettings, seedOf } from "./settings.ts";

/** The options of {@link replay}. */
export interface ReplayOptions extends RunSettings {
  /** The path of the dump. */
  readonly file: string;
  /** The containers whose commands run; the recording plays the others. @default all */
  readonly only?: readonly string[] | undefined;
  /** Commands to run in place of the recorded ones. @default the recorded commands */
  readonly containers?: Containers | undefined;
  /**
   * Whether to run commands of a recording that this user did not make. Such a dump may come from
   * anyone. @default false
   */
  readonly runRecorded?: boolean | undefined;
  /**
   * Keep the recorded order within each process, each connection, or globally. @default "process"
   */
  readonly order?: Order | undefined;
  /**
   * `causal`: events happen when those before them have. A number: keep the recorded timing, sped
   * up by this factor. `flood`: deliver as fast as processes accept it. @default "causal"
   */
  readonly speed?: "causal" | "flood" | number | undefined;
  /** How long to wait for something that does not come, in milliseconds. @default 2000 */
  readonly patienceMs?: number | undefined;
  /** Whether commands see the recorded time of day. @default true if the recording is seeded */
  readonly recordedClock?: boolean | undefined;
  /** Whether the replay compares bytes. @default true */
  readonly compare?: boolean | undefined;
  /**
   * What may differ: masks as for `plg replay --ignore`, `"app:80/^Date: .*$/m"`. @default none
   */
  readonly ignore?: readonly string[] | undefined;
  /** Differences beyond this number are counted, but not kept. @default 100 */
  readonly mostDifferences?: number | undefined;
  /**
   * The seed of links' losses and jitter; `false` gives commands real random bytes, too.
   * @default a fresh number; random bytes follow from the recording's seed
   */
  readonly seed?: number | false | undefined;
}

/** The result of a replay. */
export interface ReplayResult {
  /** The dump. */
  readonly file: string;
  /** How the live processes departed from the recording. */
  readonly differences: DifferenceList;
  /** Recorded events that were played, of how many. */
  readonly played: number;
  readonly total: number;
  readonly durationMs: number;
  readonly counts: EngineCounts;
  /** How the commands ended, by their containers' names. */
  readonly exits: Readonly<Record<string, ContainerExit>>;
  /** The containers that ran: their commands, and the calling process. */
  readonly live: readonly string[];
}

/** A replay in progress. */
export class ReplayRun extends Run<ReplayResult> {
  readonly #session: ReplaySession;

  /** @internal */
  constructor(session: ReplaySession, parts: ConstructorParameters<typeof Run<ReplayResult>>[0]) {
    super(parts);
    this.#session = session;
  }

  /** How many recorded events have been played, of how many, and how many differences there are. */
  position(): {
    readonly played: number;
    readonly total: number;
    readonly differences: number;
    /** The recorded event that the replay waits for. */
    readonly waitingFor: number | undefined;
  } {
    const { waitingFor, ...position } = this.#session.progress();
    return { ...position, waitingFor: waitingFor < 0 ? undefined : waitingFor };
  }
}

/**
 * Replays a recording: starts commands in its containers, plays what the others sent, and compares.
 * Resolves when the commands have been started. `finish` of the run returns the differences.
 *
 * If the recording has a container of the calling process with the name `caller`, the process is
 * live, too: what it sends is compared.
 *
 * @throws {PlgError} As {@link record} does; with the code `dump-unreadable` or `dump-damaged` if
 *   the file is no recording; `commands-unconfirmed` if somebody else recorded its commands.
 * @example
 * await using run = await replay({ file: "orders.traffic", only: ["app"] });
 * const response = await run.fetch("http://app:8080/orders");
 * const { differences } = await run.finish();
 */
export async function replay(options: ReplayOptions): Promise<ReplayRun> {
  return replayRecording(await readRecording(options.file), options);
}

/** {@link replay} of a dump that was read before. */
async function replayRecording(recording: Recording, options: ReplayOptions): Promise<ReplayRun> {
  const events = new RunEvents();
  const left = closedGate();
  const planned = planReplay(recording, options, events, left.passed);
  const { topology, live } = planned;
  const callerPlan = callerOf(topology, live, options);
  const { session, caller, outcome } = await startSession({
    topology,
    callerPlan,
    events,
    signal: options.signal,
    prepare: (hooks) => ReplaySession.prepare(planned, hooks),
  });
  const run = new ReplayRun(session, {
    session,
    caller,
    events,
    containers: topology.containers,
    ready: Promise.resolve(),
    outcome: outcome.then(({ ends, differences, played, total, durationMs, counts }) => ({
      file: recording.path,
      differences,
      played,
      total,
      durationMs,
      counts,
      exits: exitsOf(live, ends),
      live: live.map(({ name }) => name),
    })),
    onLeave: () => {
      if (callerPlan) session.noteLeft(callerPlan.index);
      left.open();
    },
  });
  run.stopWith(options.signal);
  return run;
}

/** The calling process's container, if the recording has it. */
function callerOf(
  { containers }: Topology,
  live: readonly ContainerPlan[],
  options: ReplayOptions,
): ContainerPlan | undefined {
  const name = callerName(options);
  const found = containers.find((plan) => isSameName(name, plan.name));
  return found && found.command === "" && live.includes(found) ? found : undefined;
}

/** Checks the options and translates them for the session. */
function planReplay(
  recording: Recording,
  options: ReplayOptions,
  events: RunEvents,
  notBefore: Promise<void>,
): SessionOptions {
  const given = listContainers(options.containers ?? {});
  const commands = givenCommands(recording, given.map(commandLineOf));
  const topology = withLaunches(recordedTopology(recording, commands), given);
  const onWarning = (text: string): void => events.push({ type: "warning", text });
  const live = liveContainers({
    recording,
    topology,
    commands,
    only: options.only,
    caller: callerName(options),
    onWarning,
  });
  confirm(recording, live, commands, options);
  const named = live.map(({ name }) => ({
    ...(given.find((container) => isSameName(container.name, name)) ?? { command: "" }),
    name,
  }));
  const { patienceMs = 2000, order = "process", mostDifferences = 100, compare = true } = options;
  return {
    ...runOptionsOf(options, named, events),
    ...sourcesOf(recording, options, onWarning),
    recording,
    topology,
    live,
    compare,
    mostDifferences,
    notBefore,
    schedule: { order, release: releaseOf(options), patienceMs },
    masks: masksOf(options, topology),
    links: linksOf(options.links, topology.containers, seedOf(options.seed), true),
  };
}

/** The topology with the environment, folder and user that were given with commands. */
function withLaunches(
  { subnets, containers }: Topology,
  given: ReturnType<typeof listContainers>,
): Topology {
  const lines = given.map(commandLineOf);
  return {
    subnets,
    containers: containers.map((plan, i) => {
      const named = lines.find(({ name }) => isSameName(name, plan.name));
      const line = named ?? (lines[i]?.name === undefined ? lines[i] : undefined);
      return { ...plan, launch: line?.launch };
    }),
  };
}

/** Refuses to run the commands of a stranger's recording. */
function confirm(
  recording: Recording,
  live: readonly ContainerPlan[],
  given: readonly (string | undefined)[],
  { runRecorded }: ReplayOptions,
): void {
  const unasked = live.filter(({ index, command }) => given[index] === undefined && command !== "");
  if (unasked.length === 0 || runRecorded === true || isOwnRecording(recording)) return;
  throw new PlgError(
    `${recording.path} was recorded by another user or on another machine, and its commands may do anything: give commands of your own, or set runRecorded`,
    { code: "commands-unconfirmed" },
  );
}

function masksOf({ ignore = [] }: ReplayOptions, { containers }: Topology): readonly Mask[] {
  const names = containers.map(({ name }) => name);
  return ignore.map((text) => parseMask(text, names));
}

function releaseOf({ speed = "causal" }: ReplayOptions): ScheduleOptions["release"] {
  return typeof speed === "number" ? { type: "speed", factor: speed } : { type: speed };
}
