/**
 * Who runs where: pure. The i-th command (from 0) gets host number i+1 of each subnet, and a name.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { hostOf } from "../../base/units.ts";
import { basename } from "node:path/posix";
import { UsageError } from "../../base/errors.ts";
import { foldName, isContainerName, isSameName, longestName } from "../../base/container-name.ts";
import { maxContainers } from "../../dump/format/schema.ts";
import type { Subnet } from "../../net/subnet.ts";

/** One command and the container it runs in. */
export interface ContainerPlan {
  readonly index: ContainerIndex;
  readonly name: string;
  /** What `/bin/sh -c` runs. Empty for the calling process: see {@link addCaller}. */
  readonly command: string;
  /** One per subnet, in the subnets' order. */
  readonly addresses: readonly string[];
  readonly launch?: Launch | undefined;
}

/** How a container's command is started, where that differs from the run's other commands. */
export interface Launch {
  /** In addition to the run's variables. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The working directory; by default plg's own. */
  readonly cwd?: string | undefined;
  /** User and group, as names or numbers. */
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
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
  readonly launch?: Launch | undefined;
}

/**
 * What stands before the first `=` is meant as a name, valid or not, unless it is an option, a
 * path, or has white space, a quote or an operator of the shell, as in `curl --max-time=1` or
 * `./a=b`.
 */
const namedCommand = /^((?!-)[^\s=/'"`$()<>|&;\\]*)=(.*)$/s;

/**
 * Reads `NAME=COMMAND`, or a command alone. A shell would read `PORT=80 ./server` as an assignment,
 * here it is a container called PORT. Throws a {@link UsageError} for a name that cannot be one.
 */
export function parseCommand(text: string): CommandLine {
  const match = namedCommand.exec(text);
  if (!match) return { command: text };
  const [, name = "", command = ""] = match;
  checkName(name);
  return { name, command };
}

function checkName(name: string): void {
  if (isContainerName(name)) return;
  throw new UsageError(
    `'${name}' cannot be a container's name: use up to ${longestName} letters, digits, '-', '_' and '.', but no address and not 'localhost'`,
  );
}

/** Assigns names and addresses; throws a UsageError for what cannot be. */
export function planTopology(
  subnets: readonly Subnet[],
  commands: readonly CommandLine[],
): Topology {
  if (commands.length === 0) throw new UsageError("no command was given", { code: "no-command" });
  if (commands.length > maxContainers)
    throw new UsageError(
      `${commands.length} commands are too many: at most ${maxContainers} run at once`,
    );
  for (const subnet of subnets)
    if (commands.length > subnet.capacity)
      throw new UsageError(
        `${commands.length} commands do not fit into ${subnet.toString()}, which has ${subnet.capacity} addresses`,
        { code: "subnet-too-small" },
      );
  const names = nameAll(commands);
  const containers = commands.map(({ command, launch }, index) => ({
    index,
    name: names[index] ?? "",
    command,
    launch,
    addresses: subnets.map((subnet) => subnet.addressOf(hostOf(index))),
  }));
  return { subnets, containers };
}

/**
 * Adds a container for the process that uses plg as a library. It has no command. It comes last, so
 * that the others have the same addresses with and without it.
 */
export function addCaller({ subnets, containers }: Topology, name: string): Topology {
  checkName(name);
  if (containers.some((container) => isSameName(container.name, name)))
    throw new UsageError(`two containers are named '${name}': the calling process has that name`);
  const index = containers.length;
  for (const subnet of subnets)
    if (index >= subnet.capacity)
      throw new UsageError(
        `${index + 1} containers do not fit into ${subnet.toString()}, which has ${subnet.capacity} addresses`,
        { code: "subnet-too-small" },
      );
  const addresses = subnets.map((subnet) => subnet.addressOf(hostOf(index)));
  return { subnets, containers: [...containers, { index, name, command: "", addresses }] };
}

/** Whether the container runs a command. The calling process does not, and imported hosts. */
export function hasCommand({ command }: Pick<ContainerPlan, "command">): boolean {
  return command !== "";
}

/** The given names, and for the others the program's name, made unique with a number. */
function nameAll(commands: readonly CommandLine[]): string[] {
  const taken = new Set<string>();
  for (const { name, command } of commands) {
    if (command.trim() === "")
      throw new UsageError(`the command ${name ? `of '${name}' ` : ""}is empty`);
    if (name === undefined) continue;
    checkName(name);
    if (taken.has(foldName(name))) throw new UsageError(`two commands are named '${name}'`);
    taken.add(foldName(name));
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
