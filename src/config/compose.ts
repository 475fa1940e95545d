/**
 * Drafts a `plg.yaml` from a compose file. Services run on this machine and not from their images,
 * so only services with a command can be taken over. Pure.
 */
import * as v from "valibot";
import { isContainerName } from "../base/container-name.ts";
import { readDocument } from "./document.ts";
import type { Draft } from "./draft.ts";
import { errorAt, type Path } from "./place.ts";
import type { ContainerEntry, SystemFile } from "./schema.ts";
import { quoted } from "./shell-command.ts";

const words = v.union([v.string(), v.array(v.string())]);
const scalar = v.nullable(v.union([v.string(), v.number(), v.boolean()]));
const dependency = v.object({ condition: v.optional(v.string()) });

/** The part of the compose specification that is used here; everything else is skipped. */
const service = v.object({
  image: v.optional(v.string()),
  entrypoint: v.optional(v.nullable(words)),
  command: v.optional(v.nullable(words)),
  environment: v.optional(v.union([v.array(v.string()), v.record(v.string(), scalar)])),
  working_dir: v.optional(v.string()),
  user: v.optional(v.union([v.string(), v.number()])),
  depends_on: v.optional(v.union([v.array(v.string()), v.record(v.string(), dependency)])),
  expose: v.optional(v.array(v.union([v.string(), v.number()]))),
  ports: v.optional(
    v.array(
      v.union([v.string(), v.number(), v.object({ target: v.union([v.string(), v.number()]) })]),
    ),
  ),
  healthcheck: v.optional(v.object({ test: v.optional(words) })),
});
const composeFile = v.object({ services: v.record(v.string(), service) });
type Service = v.InferOutput<typeof service>;
type Services = Readonly<Record<string, Service>>;

/** Throws a UsageError with a place if the text is no compose file, or no service has a command. */
export function draftFromCompose(path: string, text: string): Draft {
  const document = readDocument(path, text);
  const { success, output, issues } = v.safeParse(composeFile, document.value);
  if (!success) {
    const at: Path = (issues[0].path ?? []).map(({ key }) => key as string);
    const where = at.length === 0 ? "the file" : `'${at.join(".")}'`;
    throw errorAt(path, document.placeOf(at), `${where} is not as in a compose file`);
  }
  const taken = Object.fromEntries(
    Object.entries(output.services).filter(
      ([name, one]) => hasCommand(one) && isContainerName(name),
    ),
  );
  if (Object.keys(taken).length === 0)
    throw errorAt(path, document.placeOf(["services"], true), "no service has a command");
  const containers = Object.entries(taken).map(([name, one]) => [name, entryOf(one, taken)]);
  return {
    file: { containers: Object.fromEntries(containers) as SystemFile["containers"] },
    notes: [`Drafted from ${path}.`, ...notesOn(output.services, taken)],
  };
}

function hasCommand({ command, entrypoint }: Service): boolean {
  return (command ?? entrypoint ?? "").length > 0;
}

function entryOf(one: Service, services: Services): ContainerEntry {
  const { environment, working_dir: cwd, user, depends_on: dependsOn, healthcheck } = one;
  const env = environmentOf(environment);
  const needs = namesIn(dependsOn).flatMap((name) => {
    const port = portOf(services[name]);
    return port === undefined ? [] : [`${name}:${port}`];
  });
  const check = checkOf(healthcheck?.test);
  return {
    command: commandOf(one),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
    ...(needs.length === 0 ? {} : { needs }),
    ...(check === undefined ? {} : { ready: { command: check } }),
  };
}

/** The entry point comes before the command. A list is a program with its arguments. */
function commandOf({ entrypoint, command }: Service): string | string[] {
  const parts = [entrypoint, command].filter((part) => part !== undefined && part !== null);
  if (parts.every((part) => typeof part === "object")) return parts.flat().map(literal);
  return parts
    .map((part) => (typeof part === "string" ? part : part.map(quoted).join(" ")))
    .map(literal)
    .join(" ");
}

/** Compose writes a dollar sign as two. */
function literal(text: string): string {
  return text.replaceAll("$$", "$");
}

function environmentOf(environment: Service["environment"]): Record<string, string> {
  const pairs = Array.isArray(environment)
    ? environment.map(
        (text) => [text.split("=")[0] ?? "", text.split("=").slice(1).join("=")] as const,
      )
    : Object.entries(environment ?? {}).map(
        ([name, value]) => [name, String(value ?? "")] as const,
      );
  return Object.fromEntries(pairs.map(([name, value]) => [name, literal(value)]));
}

function namesIn(dependsOn: Service["depends_on"]): readonly string[] {
  return Array.isArray(dependsOn) ? dependsOn : Object.keys(dependsOn ?? {});
}

/** The first port that a service exposes or publishes: the last number of `8080:80/tcp`. */
function portOf(one: Service | undefined): string | undefined {
  const [first] = [...(one?.expose ?? []), ...(one?.ports ?? [])];
  if (first === undefined) return undefined;
  const text = String(typeof first === "object" ? first.target : first);
  return /(\d+)(\/tcp)?$/.exec(text)?.[1];
}

/** A health check's command: `CMD` has arguments, `CMD-SHELL` and a text are for the shell. */
function checkOf(test: string | readonly string[] | undefined): string | undefined {
  if (test === undefined || typeof test === "string") return test;
  const [kind, ...rest] = test;
  if (kind === "CMD-SHELL") return rest.map(literal).join(" ");
  return kind === "CMD" ? rest.map(literal).map(quoted).join(" ") : undefined;
}

function notesOn(all: Services, taken: Services): string[] {
  const left = Object.entries(all).filter(([name]) => taken[name] === undefined);
  const described = left.map(([name, { image }]) =>
    image === undefined ? name : `${name} (${image})`,
  );
  const variables = JSON.stringify(taken).includes("${");
  return [
    "The commands run on this machine, not in the services' images: install what they need.",
    ...(left.length === 0
      ? []
      : [`Left out, for lack of a command or of a name that fits: ${described.join(", ")}.`]),
    ...(variables ? ["Compose fills in ${VARIABLES}; plg does not: replace those in env."] : []),
  ];
}
