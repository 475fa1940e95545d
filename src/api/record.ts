/** Recording, for programs. */
import type { EngineCounts } from "../engine/host.ts";
import type { NetworkOptions } from "../sandbox/playground.ts";
import { RecordSession, type RecordOptions as SessionOptions } from "../record/session.ts";
import { addCaller, type ContainerPlan, planTopology } from "../sandbox/network/topology.ts";
import { commandLineOf, type Containers, listContainers, readyChecks } from "./containers.ts";
import { type ContainerExit, RunEvents } from "./events.ts";
import { linksOf, type SubnetSettings, subnetsOf } from "./network.ts";
import { needsOf } from "./needs.ts";
import { sealOf } from "./own-recordings.ts";
import { Run } from "./run.ts";
import { closedGate, exitsOf, Readiness, startSession } from "./session-run.ts";
import { callerName, runOptionsOf, type RunSettings, seedOf } from "./settings.ts";
import { toolVersion } from "./version.ts";

/** The options of {@link record}. */
export interface RecordOptions extends RunSettings, SubnetSettings {
  /**
   * The containers. The first one has the subnet's first address, and so on. They find each other
   * by name.
   */
  readonly containers: Containers;
  /** The path of the dump to write. A recording that is there moves to `PATH.previous`. */
  readonly file: string;
  /** Also replace a file that is not a recording. @default false */
  readonly force?: boolean | undefined;
  /**
   * Connections to a port where nobody listens yet are held for up to this long, in milliseconds,
   * instead of being refused. @default 10,000 if the calling process takes part, otherwise 0
   */
  readonly waitListenMs?: number | undefined;
  /** The limit of a connection's kernel buffers, in bytes. @default the machine's */
  readonly bufferBytes?: number | undefined;
  /**
   * The commands' random bytes, and the losses and jitter of links, follow from this number.
   * `false` gives commands real random bytes. @default a fresh number, which the dump holds
   */
  readonly seed?: number | false | undefined;
  /** Environment variables for all containers, in addition to those of the calling process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** The result of a recording. */
export interface RecordResult {
  /** The dump. */
  readonly file: string;
  /** The size of the dump. */
  readonly dumpBytes: number;
  /** From just before the commands start to the end of the recording. */
  readonly durationMs: number;
  /** What the network carried. */
  readonly counts: EngineCounts;
  /** How each command ended, by its container's name. */
  readonly exits: Readonly<Record<string, ContainerExit>>;
  /** Why the dump is incomplete, if it is: it could not be written any more. */
  readonly dumpError: Error | undefined;
  /** The new path of a recording that was at the dump's path before. */
  readonly previous: string | undefined;
  /** No command could be started, so the recording that was there before stays in place. */
  readonly withdrawn: boolean;
}

/** How long connections are held by default while the calling process takes part. */
const patientListenMs = 10_000;

/**
 * Runs commands, each in a network container of its own, and records their traffic. Resolves when
 * the commands have been started.
 *
 * The process must be root, or root of a user namespace.
 *
 * @throws {UsageError} If an option, a name or the file is unusable.
 * @throws {MachineError} If this machine cannot run it: `plg doctor` explains. In both cases nothing
 *   is left behind, and the file is unchanged.
 * @example
 * await using run = await record({
 *   file: "orders.traffic",
 *   containers: {
 *     db: "postgres -D data",
 *     app: { command: ["node", "app.mjs"], env: { PGHOST: "db" } },
 *   },
 * });
 * const response = await run.fetch("http://app:8080/orders");
 */
export async function record(options: RecordOptions): Promise<Run<RecordResult>> {
  const events = new RunEvents();
  const left = closedGate();
  const { session: planned, callerPlan } = planRecording(options, events, left.passed);
  const { topology } = planned;
  const readiness = new Readiness((planned.ready ?? []).map(({ container }) => container));
  const { session, caller, outcome } = await startSession({
    topology,
    callerPlan,
    events,
    signal: options.signal,
    onReady: (container) => readiness.note(container),
    prepare: (hooks) => RecordSession.prepare(planned, hooks),
  });
  const run = new Run({
    session,
    caller,
    events,
    containers: topology.containers,
    ready: readiness.reached,
    outcome: outcome.then(({ ends, ...result }) => ({
      ...result,
      file: options.file,
      exits: exitsOf(topology.containers, ends),
    })),
    onLeave: () => {
      if (callerPlan) session.noteLeft(callerPlan.index);
      left.open();
    },
  });
  run.stopWith(options.signal);
  return run;
}

interface PlannedRecording {
  readonly session: SessionOptions;
  readonly callerPlan: ContainerPlan | undefined;
}

/** Checks the options and translates them for the session. */
function planRecording(
  options: RecordOptions,
  events: RunEvents,
  notBefore: Promise<void>,
): PlannedRecording {
  const given = listContainers(options.containers);
  const commands = planTopology(subnetsOf(options), given.map(commandLineOf));
  const name = callerName(options);
  const topology = name === undefined ? commands : addCaller(commands, name);
  const named = given.map((container, i) => ({
    ...container,
    name: commands.containers[i]?.name ?? "",
  }));
  const seed = seedOf(options.seed);
  const network: NetworkOptions = {
    links: linksOf(options.links, topology.containers, seed, false),
    bufferBytes: options.bufferBytes,
  };
  return {
    callerPlan: name === undefined ? undefined : topology.containers.at(-1),
    session: {
      ...runOptionsOf(options, named, events),
      ...network,
      topology,
      notBefore,
      randomSeed: options.seed === false ? undefined : seed,
      environment: options.env,
      file: options.file,
      force: options.force === true,
      waitListenMs: options.waitListenMs ?? (name === undefined ? 0 : patientListenMs),
      ready: readyChecks(given),
      needs: needsOf(
        named.flatMap(({ name: own, needs = [] }) =>
          needs.map((server) => ({ name: own, server })),
        ),
        topology.containers,
      ),
      toolVersion: toolVersion(),
      seal: sealOf(topology.containers),
    },
  };
}
