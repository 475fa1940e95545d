/**
 * Who runs where: pure. The i-th command (from 0) gets host number i+1 of each subnet, and a name.
 */
import { hostOf } from "../../base/units.ts";
import { basename } from "node:path/posix";
import { UsageError } from "../../base/errors.ts";
import { isContainerName, maxContainers } from "../../dump/format/schema.ts";
import type { Subnet } from "../../net/subnet.ts";

/** One command and the container it runs in. */
export interface ContainerPlan {
  readonly index: number;
  readonly name: string;
  /** What `/bin/sh -c` runs. */
  readonly command: string;
  /** One per subnet, in the subnets' order. */
  readonly addresses: readonly string[];
}

export interface Topology {
  /** IPv4 first; IPv6 if the run has it. */
  readonly subnets: readonly Subnet[];
  readonly containers: readonly ContainerPlan[];
}

/** A command as it was given: with a name, or to be named after its program. */
export interface CommandLine {
  readonly name?: string | undefined;
  readonly command: string;
}

const namedCommand = /^([a-z0-9][a-z0-9-]*)=(.*)$/s;

/** Reads `name=command`, or a command alone. `PORT=80 server`, in capitals, is a command. */
export function parseCommand(text: string): CommandLine {
  const match = namedCommand.exec(text);
  return match ? { name: match[1], command: match[2] ?? "" } : { command: text };
}

/** Assigns names and addresses; throws a UsageError for what cannot be. */
export function planTopology(
  subnets: readonly Subnet[],
  commands: readonly CommandLine[],
): Topology {
  if (commands.length === 0)
    throw new UsageError("no command was given: pass at least one, as in: plg record 'sleep 1'");
  if (commands.length > maxContainers)
    throw new UsageError(
      `${commands.length} commands are too many: at most ${maxContainers} run at once`,
    );
  for (const subnet of subnets)
    if (commands.length > subnet.capacity)
      throw new UsageError(
        `${commands.length} commands do not fit into ${subnet.toString()}, which has ${subnet.capacity} addresses`,
        "subnet-too-small",
      );
  const names = nameAll(commands);
  const containers = commands.map(({ command }, index) => ({
    index,
    name: names[index] ?? "",
    command,
    addresses: subnets.map((subnet) => subnet.addressOf(hostOf(index))),
  }));
  return { subnets, containers };
}

/** The given names, and for the others the program's name, made unique with a number. */
function nameAll(commands: readonly CommandLine[]): string[] {
  const taken = new Set<string>();
  for (const { name, command } of commands) {
    if (command.trim() === "")
      throw new UsageError(`the command ${name ? `of '${name}' ` : ""}is empty`);
    if (name === undefined) continue;
    if (!isContainerName(name))
      throw new UsageError(
        `'${name}' cannot be a container's name: use up to 63 lower-case letters, digits and '-' (and not 'localhost')`,
      );
    if (taken.has(name)) throw new UsageError(`two commands are named '${name}'`);
    taken.add(name);
  }
  return commands.map(({ name, command }) => name ?? uniqueName(programName(command), taken));
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}-${count}`;
  taken.add(name);
  return name;
}

/**
 * The program's name in a shell command: the first word that is not an assignment, without its
 * folder.
 */
function programName(command: string): string {
  const words = command.trim().split(/\s+/);
  const program = words.find((word) => word !== "exec" && !/^\w+=/.test(word)) ?? "command";
  const name = basename(program)
    .toLowerCase()
    .replace(/\.[a-z]{1,3}$/, "")
    .replaceAll(/[^a-z0-9-]/g, "-")
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, "");
  return isContainerName(name) ? name : "command";
}
