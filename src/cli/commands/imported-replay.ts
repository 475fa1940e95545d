/**
 * Replays imported recordings, which have no commands, and whose hosts keep their real addresses.
 */
import { UsageError } from "../../base/errors.ts";
import { plural } from "../../base/text.ts";
import { hostOf } from "../../base/units.ts";
import type { Recording } from "../../recording/load/read-recording.ts";
import type { ContainerPlan, Topology } from "../../sandbox/network/topology.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { parseOnly } from "./only.ts";

/**
 * Selects the containers that run. For an imported recording, it warns of connections that cannot
 * be played.
 */
export function liveContainers(
  only: string | undefined,
  commands: readonly (string | undefined)[],
  parts: {
    readonly recording: Recording;
    readonly topology: Topology;
    readonly terminal: Terminal;
  },
): readonly ContainerPlan[] {
  const { recording, topology, terminal } = parts;
  if (recording.index.run.subnets.length > 0) return parseOnly(only, topology);
  const live = importedLive(only, commands, topology);
  warnImpossible(terminal, recording, topology, live);
  return live;
}

/**
 * Selects the containers that run: those with a command, restricted to `--only`. Throws a {@link
 * UsageError} if there is none, or if one cannot have its address.
 */
function importedLive(
  only: string | undefined,
  commands: readonly (string | undefined)[],
  topology: Topology,
): readonly ContainerPlan[] {
  const given = topology.containers.filter(({ index }) => commands[index] !== undefined);
  const live = only === undefined ? given : parseOnly(only, topology);
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
  terminal: Terminal,
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
    terminal.warn(
      `${plural(own, "connection")} of a container to itself cannot be played: the container's own kernel keeps them`,
    );
  if (unaddressed > 0)
    terminal.warn(
      `${plural(unaddressed, "connection")} with loopback or link-local addresses cannot be played: no container can have them`,
    );
}
