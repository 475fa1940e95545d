/** Chooses the commands that a replay runs in the recorded containers. */
import { indexOfName, isSameName } from "../base/container-name.ts";
import { plural } from "../base/text.ts";
import { UsageError } from "../base/errors.ts";
import { hostLists } from "../net/host-list.ts";
import { Subnet } from "../net/subnet.ts";
import type { Recording } from "../recording/load/read-recording.ts";
import type { CommandLine, Topology } from "../sandbox/network/topology.ts";

/**
 * By container, the commands that replace the recorded ones. The caller gives them either by name,
 * each for its container, or without names, one for every container in order.
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

/** The containers of the recording, with the given commands in place of the recorded ones. */
export function recordedTopology(
  { index }: Recording,
  given: readonly (string | undefined)[],
): Topology {
  const { containers, subnets } = index.run;
  return {
    subnets:
      subnets.length === 0
        ? hostLists(containers.map(({ addresses }) => addresses))
        : subnets.map((text) => Subnet.parse(text)),
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
      `the recording has ${plural(names.length, "container")} (${names.join(", ")}), but ${plural(commands.length, "command")} ${commands.length === 1 ? "was" : "were"} given: give one for each, or name=command`,
    );
  return commands.map(({ command }) => command);
}

function commandsByName(
  commands: readonly CommandLine[],
  names: readonly string[],
): (string | undefined)[] {
  for (const { name, command } of commands)
    if (name === undefined || indexOfName(names, name) === undefined)
      throw new UsageError(
        `'${name ?? command}' names none of the recorded containers (${names.join(", ")}): write name=command`,
      );
  return names.map((name) => commands.findLast((line) => isSameName(line.name, name))?.command);
}
