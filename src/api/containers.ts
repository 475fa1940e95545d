/** Containers as a library's user writes them, and what they mean to a run. */
import { statSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import type { ReadyCheck } from "../record/readiness.ts";
import type { CommandLine, Launch } from "../sandbox/network/topology.ts";

/**
 * What runs in a container: a command line for `/bin/sh -c`, a program with its arguments (which no
 * shell interprets), or either of them with more options.
 *
 * @example
 * "redis-server --port 6379"
 *
 * @example
 * { command: ["node", "app.mjs"], env: { PGHOST: "db" }, ready: /listening/ }
 */
export type Container = string | readonly string[] | ContainerOptions;

/** A container with more than its command. */
export interface ContainerOptions {
  /** A command line for `/bin/sh -c`, or a program and its arguments. */
  readonly command: string | readonly string[];
  /** Environment variables in addition to those of the calling process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The working directory. @default the calling process's */
  readonly cwd?: string | undefined;
  /** The user that the command runs as: a name or a number. @default the run's `user` */
  readonly user?: string | number | undefined;
  /** The group that it runs as. @default the user's group, or the run's `group` */
  readonly group?: string | number | undefined;
  /**
   * When the container is ready: once this command succeeds in it, or once a line of its output
   * matches. Until then, connections to it are held, not refused. Only a recording uses this.
   */
  readonly ready?: string | RegExp | undefined;
  /**
   * Servers that must listen before the command starts, as `"db:5432"`. plg asks the kernel, so no
   * server sees a connection that no client made. Only a recording uses this. @default none
   */
  readonly needs?: readonly string[] | undefined;
  /**
   * Where the command's output goes. `events`: to the run's events, line by line. `inherit`: to the
   * calling process's standard error, after the container's name. `ignore`: nowhere.
   * @default the run's `output`
   */
  readonly output?: OutputChoice | undefined;
}

/** See {@link ContainerOptions.output}. */
export type OutputChoice = "events" | "inherit" | "ignore";

/** Containers by name, in the order of their addresses; or a list, whose items may lack a name. */
export type Containers =
  | Readonly<Record<string, Container>>
  | readonly (ContainerOptions & { readonly name?: string | undefined })[];

/** A container, with all forms resolved to one. */
export interface NamedContainer extends ContainerOptions {
  readonly name?: string | undefined;
}

/** The containers in the order of their addresses. */
export function listContainers(containers: Containers): readonly NamedContainer[] {
  if (Array.isArray(containers)) return containers as readonly NamedContainer[];
  return Object.entries(containers as Readonly<Record<string, Container>>).map(
    ([name, container]) => ({
      ...(typeof container === "string" || Array.isArray(container)
        ? { command: container as string | readonly string[] }
        : (container as ContainerOptions)),
      name,
    }),
  );
}

/**
 * The command as plans and dumps have it. Throws a {@link UsageError} for what cannot be started.
 */
export function commandLineOf(container: NamedContainer): CommandLine {
  const { name, command } = container;
  return { name, command: lineOf(command, name), launch: launchOf(container) };
}

/**
 * The command line that runs the program in place of the shell. So a recording has one form of
 * command, and the command line replays it as it is.
 */
function lineOf(command: string | readonly string[], name: string | undefined): string {
  if (typeof command === "string") return command;
  const [program = ""] = command;
  if (program === "") throw new UsageError(`the command of '${name}' has no program`);
  return `exec ${command.map(quoted).join(" ")}`;
}

/** A word as the shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function launchOf({ name, env, cwd, user, group }: NamedContainer): Launch | undefined {
  if ((env ?? cwd ?? user ?? group) === undefined) return undefined;
  // The kernel would blame the shell for a folder that is missing.
  if (cwd !== undefined && statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`the working directory of '${name}', ${cwd}, is no folder`);
  const uid = user === undefined ? undefined : String(user);
  const gid = group === undefined ? undefined : String(group);
  return { env, cwd, uid, gid };
}

/** The conditions for the containers' readiness. */
export function readyChecks(containers: readonly NamedContainer[]): readonly ReadyCheck[] {
  return containers.flatMap(({ ready }, container): ReadyCheck[] => {
    if (ready === undefined) return [];
    return [typeof ready === "string" ? { container, command: ready } : { container, line: ready }];
  });
}
