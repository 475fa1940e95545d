/**
 * Selects the containers of a recording that run. Imported recordings have no commands, and their
 * hosts keep their real addresses. The calling process's container has no command either.
 */
import { indexOfName, isSameName } from "../base/container-name.ts";
import { UsageError } from "../base/errors.ts";
import { plural } from "../base/text.ts";
import { hostOf } from "../base/units.ts";
import type { Recording } from "../recording/load/read-recording.ts";
import { type ContainerPlan, hasCommand, type Topology } from "../sandbox/network/topology.ts";

/** What selects the containers. */
interface Selecting {
  readonly recording: Recording;
  readonly topology: Topology;
  /** By container, the commands given in place of the recorded ones. */
  readonly commands: readonly (string | undefined)[];
  /** The names of the containers to run. By default, each container with a command runs. */
  readonly only: readonly string[] | undefined;
  /** The calling process's name, if it takes part. */
  readonly caller: string | undefined;
  readonly onWarning: (text: string) => void;
}

/**
 * Selects the containers that run. For an imported recording, it warns of connections that cannot
 * be played.
 */
export function liveContainers(parts: Selecting): readonly ContainerPlan[] {
  const { recording, topology, commands, only, onWarning } = parts;
  const isImported = recording.index.run.subnets.length === 0;
  const live = isImported ? importedLive(only, commands, topology) : recordedLive(parts);
  if (isImported) warnImpossible(onWarning, recording, topology, live);
  refuseUnused(commands, live, topology);
  return live;
}

/** Refuses a command for a container that `only` leaves out, because it would never run. */
function refuseUnused(
  given: readonly (string | undefined)[],
  live: readonly ContainerPlan[],
  { containers }: Topology,
): void {
  for (const container of containers)
    if (given[container.index] !== undefined && !live.includes(container))
      throw new UsageError(
        `leaves out '${container.name}', but a command is given for it: add it, or leave out the command`,
        { argument: "only" },
      );
}

/** The containers named; by default all. Containers of calling processes are played. */
function recordedLive({ topology, only, caller }: Selecting): readonly ContainerPlan[] {
  const own = topology.containers.find(
    (plan) => !hasCommand(plan) && isSameName(caller, plan.name),
  );
  if (only === undefined)
    return topology.containers.filter((plan) => hasCommand(plan) || plan === own);
  const named = containersNamed(only, topology);
  const idle = named.find((plan) => !hasCommand(plan) && plan !== own);
  if (idle === undefined)
    return topology.containers.filter((plan) => named.includes(plan) || plan === own);
  throw new UsageError(
    `'${idle.name}' has no command: it was the process that recorded this. Give it one, as in ${idle.name}='./app'`,
  );
}

/** The containers of these names, in the recording's order. */
function containersNamed(
  names: readonly string[],
  { containers }: Topology,
): readonly ContainerPlan[] {
  const recorded = containers.map(({ name }) => name);
  for (const name of names)
    if (indexOfName(recorded, name) === undefined)
      throw new UsageError(
        `'${name}': the recording has no such container (it has ${recorded.join(", ")})`,
        { argument: "only" },
      );
  return containers.filter(({ name }) => indexOfName(names, name) !== undefined);
}

/**
 * Selects the containers that run: those with a command, restricted to `only`. Throws a {@link
 * UsageError} if there is none, or if one cannot have its address.
 */
function importedLive(
  only: readonly string[] | undefined,
  commands: readonly (string | undefined)[],
  topology: Topology,
): readonly ContainerPlan[] {
  const given = topology.containers.filter(({ index }) => commands[index] !== undefined);
  const live = only === undefined ? given : containersNamed(only, topology);
  const [first] = live;
  if (first === undefined) {
    const [name = "app"] = topology.containers.map((container) => container.name);
    throw new UsageError(
      `the recording was imported, so it has no commands: give one, as in ${name}='./app' (${namesOf(topology)})`,
    );
  }
  for (const { name, index, addresses } of live) {
    if (commands[index] === undefined)
      throw new UsageError(
        `the recording was imported, so '${name}' has no command: give one, as in ${name}='./app'`,
      );
    if (!topology.subnets.some((network) => network.has(hostOf(index))))
      throw new UsageError(
        `'${name}' cannot run: no container can have its address ${addresses.join(", ")}, which means something else on every host`,
      );
  }
  return live;
}

const mostNames = 10;

function namesOf({ containers }: Topology): string {
  const names = containers.slice(0, mostNames).map(({ name }) => name);
  return `it has ${names.join(", ")}${containers.length > mostNames ? ", …" : ""}`;
}

/** Warns of live containers' connections that cannot be played, and why. */
function warnImpossible(
  onWarning: (text: string) => void,
  { index: { connections } }: Recording,
  { subnets, containers }: Topology,
  live: readonly ContainerPlan[],
): void {
  const runs = new Set(live.map(({ index }) => index));
  const hasAddress = containers.map(({ index }) =>
    subnets.some((network) => network.has(hostOf(index))),
  );
  let own = 0;
  let unaddressed = 0;
  for (let number = 1; number <= connections.count; number++) {
    const [client, server] = [connections.client(number), connections.server(number)];
    if (!runs.has(client) && !runs.has(server)) continue;
    if (client === server) own++;
    else if (!hasAddress[client] || !hasAddress[server]) unaddressed++;
  }
  if (own > 0)
    onWarning(
      `${plural(own, "connection")} of a container to itself cannot be played: the container's own kernel keeps them`,
    );
  if (unaddressed > 0)
    onWarning(
      `${plural(unaddressed, "connection")} with loopback or link-local addresses cannot be played: no container can have them`,
    );
}
