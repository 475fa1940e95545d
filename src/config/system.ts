/** Reads the text of a `plg.yaml`. Pure. */
import { join, relative } from "node:path/posix";
import { safeParse } from "valibot";
import { foldName, indexOfName, isContainerName, longestName } from "../base/container-name.ts";
import type { UsageError } from "../base/errors.ts";
import { type PlacedDocument, readDocument } from "./document.ts";
import { errorAt, type Path } from "./place.ts";
import { problemOf } from "./problem.ts";
import {
  type ContainerEntry,
  type FullContainer,
  knownKeys,
  type SystemFile,
  systemSchema,
} from "./schema.ts";
import { shellCommand } from "./shell-command.ts";

/** A container, ready to run. */
interface SystemContainer {
  readonly name: string;
  /** What `/bin/sh -c` runs, with folder, environment and user. */
  readonly command: string;
  /** As SERVER:PORT. */
  readonly needs: readonly string[];
  /** A command, or a regular expression between slashes. */
  readonly ready: string | undefined;
}

/** What a `plg.yaml` describes. */
export interface System {
  /** The file's path, for messages. */
  readonly path: string;
  readonly containers: readonly SystemContainer[];
  readonly file: SystemFile;
  /** An error at the value of this key. */
  readonly errorIn: (key: Path, text: string) => UsageError;
}

/**
 * Reads a file's text. `folder` is the way from plg's working directory to the file's folder.
 * Throws a {@link UsageError} with line and column.
 */
export function parseSystem(path: string, text: string, folder: string): System {
  const document = readDocument(path, text);
  const file = validated(path, document);
  const errorIn = (key: Path, words: string): UsageError =>
    errorAt(path, document.placeOf(key), words);
  const names = inOrder(Object.keys(file.containers), document);
  checkNames(names, (name, words) =>
    errorAt(path, document.placeOf(["containers", name], true), words),
  );
  const reader = { document, names, folder, errorIn };
  const containers = names.map((name) =>
    containerOf(name, file.containers[name] as ContainerEntry, reader),
  );
  checkReferences(file, names, errorIn);
  return { path, containers, file, errorIn };
}

/** As in the file: objects have keys that are numbers first. */
function inOrder(names: readonly string[], document: PlacedDocument): string[] {
  const places = new Map(names.map((name) => [name, document.placeOf(["containers", name], true)]));
  const lineOf = (name: string): number => places.get(name)?.line ?? 0;
  const columnOf = (name: string): number => places.get(name)?.column ?? 0;
  return names.toSorted((a, b) => lineOf(a) - lineOf(b) || columnOf(a) - columnOf(b));
}

type ErrorIn = System["errorIn"];

interface Reader {
  readonly document: PlacedDocument;
  readonly names: readonly string[];
  readonly folder: string;
  readonly errorIn: ErrorIn;
}

function validated(path: string, document: PlacedDocument): SystemFile {
  const { success, output, issues } = safeParse(systemSchema, document.value);
  if (success) return output;
  const problem = problemOf(issues, knownKeys);
  throw errorAt(path, document.placeOf(problem.path, problem.isAboutKey), problem.text);
}

function checkNames(
  names: readonly string[],
  failure: (name: string, words: string) => UsageError,
): void {
  const taken = new Set<string>();
  for (const name of names) {
    if (!isContainerName(name))
      throw failure(
        name,
        `'${name}' cannot be a container's name: use up to ${longestName} letters, digits, '-', '_' and '.', but no address and not 'localhost'`,
      );
    if (taken.has(foldName(name))) throw failure(name, `two containers are named '${name}'`);
    taken.add(foldName(name));
  }
}

function containerOf(name: string, entry: ContainerEntry, reader: Reader): SystemContainer {
  const full = typeof entry === "string" ? { command: entry } : entry;
  const at = ["containers", name] as const;
  return {
    name,
    command: shellCommand({
      command: full.command,
      env: environmentOf(full.env ?? {}, [...at, "env"], reader),
      cwd: folderOf(reader.folder, full.cwd),
      user: userOf(full.user, [...at, "user"], reader),
    }),
    needs: listOf(full.needs).map((need, i) =>
      needOf(need, Array.isArray(full.needs) ? [...at, "needs", i] : [...at, "needs"], reader),
    ),
    ready: readyOf(full.ready, [...at, "ready"], reader),
  };
}

function folderOf(folder: string, cwd: string | undefined): string {
  if (cwd?.startsWith("/")) return cwd;
  return relative(".", join(folder, cwd ?? ".")) || ".";
}

function environmentOf(
  env: NonNullable<FullContainer["env"]>,
  at: Path,
  { document, errorIn }: Reader,
) {
  const variables = Object.entries(env).map(([name, value]): [string, string] => {
    const path = [...at, name];
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw errorIn(path, `'${name}' cannot be the name of an environment variable`);
    return [name, typeof value === "string" ? value : (document.sourceOf(path) ?? String(value))];
  });
  return Object.fromEntries(variables);
}

function userOf(user: string | number | undefined, at: Path, { errorIn }: Reader) {
  if (user === undefined) return undefined;
  if (/^[\w.-]+(:[\w.-]+)?$/.test(String(user))) return String(user);
  throw errorIn(at, `'${user}' is neither USER nor USER:GROUP`);
}

function needOf(need: string, at: Path, { names, errorIn }: Reader): string {
  const [, server = "", port] = /^(.+):(\d{1,5})$/.exec(need) ?? [];
  if (port === undefined) throw errorIn(at, `'${need}' is not NAME:PORT, as in db:5432`);
  if (indexOfName(names, server) === undefined) throw errorIn(at, unknown(server, names));
  return need;
}

function readyOf(ready: FullContainer["ready"], at: Path, { errorIn }: Reader): string | undefined {
  if (ready === undefined) return undefined;
  const { line, command } = typeof ready === "string" ? { line: ready, command: undefined } : ready;
  if (line === undefined && command !== undefined) return command;
  if (line === undefined || command !== undefined)
    throw errorIn(at, "'ready' has either a line or a command");
  try {
    return `/${new RegExp(line, "u").source}/`;
  } catch (error) {
    throw errorIn(typeof ready === "string" ? at : [...at, "line"], (error as Error).message);
  }
}

function checkReferences(
  { until, replay }: SystemFile,
  names: readonly string[],
  errorIn: ErrorIn,
) {
  const isEnd = until === "all" || until === "first";
  if (until !== undefined && !isEnd && indexOfName(names, until) === undefined)
    throw errorIn(
      ["until"],
      `'${until}' is neither all, first nor a container (${names.join(", ")})`,
    );
  for (const name of listOf(replay?.only))
    if (indexOfName(names, name) === undefined)
      throw errorIn(["replay", "only"], unknown(name, names));
}

function unknown(name: string, names: readonly string[]): string {
  return `there is no container '${name}' (there are ${names.join(", ")})`;
}

/** Lists may be written as one item. */
function listOf(items: string | readonly string[] | undefined): readonly string[] {
  if (items === undefined) return [];
  return typeof items === "string" ? [items] : items;
}
