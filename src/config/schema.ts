/**
 * The content of `plg.yaml`. This schema checks the file, types it, and makes the JSON schema that
 * the package publishes for editors (test/unit/config/schema.test.ts writes it).
 */
import * as v from "valibot";
import type { Path } from "./place.ts";

type Duration = string | number;

/** What a `plg.yaml` says. */
export interface SystemFile {
  containers: Record<string, ContainerEntry>;
  file?: string | undefined;
  until?: string | undefined;
  kill?: string | undefined;
  grace?: Duration | undefined;
  "wait-listen"?: Duration | undefined;
  links?: string[] | undefined;
  masks?: string[] | undefined;
  seed?: number | false | undefined;
  subnet?: string | undefined;
  subnet6?: string | undefined;
  ipv6?: boolean | undefined;
  replay?: ReplayEntry | undefined;
}

/** A command, or more about the container. */
export type ContainerEntry = string | FullContainer;

export interface FullContainer {
  command: string | string[];
  env?: Record<string, string | number | boolean> | undefined;
  cwd?: string | undefined;
  user?: string | number | undefined;
  needs?: string | string[] | undefined;
  ready?: string | { line?: string | undefined; command?: string | undefined } | undefined;
}

interface ReplayEntry {
  only?: string | string[] | undefined;
  order?: "process" | "connection" | "global" | undefined;
  patience?: Duration | undefined;
  clock?: "recorded" | "real" | undefined;
}

const text = v.pipe(v.string(), v.nonEmpty());
const port = "as in db:5432";

const command = v.union([text, v.pipe(v.array(v.string()), v.minLength(1))]);

const environment = v.record(text, v.union([v.string(), v.number(), v.boolean()]));

const fullReady = v.strictObject({
  line: v.optional(described(text, "A regular expression that matches a line of its output.")),
  command: v.optional(described(text, "A command that succeeds in the container.")),
});
const ready = v.union([text, fullReady]);

const fullContainer = v.strictObject({
  command: described(command, "The command: a line for /bin/sh, or a program with its arguments."),
  env: v.optional(described(environment, "Environment variables in addition to plg's own.")),
  cwd: v.optional(described(text, "Its working directory, relative to this file's folder.")),
  user: v.optional(
    described(v.union([text, v.number()]), "The user it runs as: USER or USER:GROUP."),
  ),
  needs: v.optional(
    described(
      v.union([text, v.array(text)]),
      `The servers that must listen before it starts, ${port}.`,
    ),
  ),
  ready: v.optional(
    described(
      ready,
      "When it is ready for connections: a regular expression for a line of its output.",
    ),
  ),
});

const container = v.union([text, fullContainer]);

const replay = v.strictObject({
  only: v.optional(
    described(
      v.union([text, v.array(text)]),
      "The containers that replay starts; the others are played.",
    ),
  ),
  order: v.optional(v.picklist(["process", "connection", "global"])),
  patience: v.optional(described(duration(), "How long to wait for an event that does not come.")),
  clock: v.optional(v.picklist(["recorded", "real"])),
});

const system = v.strictObject({
  containers: described(
    v.pipe(v.record(text, container), v.minEntries(1)),
    "The containers by name. They get their addresses in this order.",
  ),
  file: v.optional(described(text, "The recording. Default: dump.traffic.")),
  until: v.optional(described(text, "The end of the run: all, first, or a container's name.")),
  kill: v.optional(described(text, "The signal that stops commands. Default: TERM.")),
  grace: v.optional(described(duration(), "Commands are killed this long after that signal.")),
  "wait-listen": v.optional(
    described(duration(), "Hold connections to a port where nobody listens yet, this long."),
  ),
  links: v.optional(
    described(v.array(text), "Bad links, as in 'client<->server: delay 40ms loss 1%'."),
  ),
  masks: v.optional(
    described(v.array(text), "Bytes that may differ, as in 'server:80/Date: [^\\r\\n]*/'."),
  ),
  seed: v.optional(
    described(
      v.union([v.pipe(v.number(), v.integer(), v.minValue(0)), v.literal(false)]),
      "Random bytes follow from this number; false leaves them to the kernel.",
    ),
  ),
  subnet: v.optional(described(text, "Default: 10.0.0.0/24.")),
  subnet6: v.optional(described(text, "Default: derived from the subnet.")),
  ipv6: v.optional(described(v.boolean(), "false: use IPv4 alone.")),
  replay: v.optional(replay),
});

/** The keys that the object at this path may have. */
export function knownKeys(path: Path): readonly string[] {
  const [top, , key] = path;
  if (top === undefined) return Object.keys(system.entries);
  if (top === "replay") return Object.keys(replay.entries);
  return Object.keys(key === "ready" ? fullReady.entries : fullContainer.entries);
}

/** The file's content. Its type and its schema cannot differ: the compiler compares them. */
export const systemSchema: v.GenericSchema<SystemFile> = system;

function described<const S extends v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>>(
  schema: S,
  description: string,
) {
  return v.pipe(schema, v.description(description));
}

/** `500ms`, `2s` or a number of seconds: options/values.ts reads it. */
function duration() {
  return v.union([v.pipe(v.string(), v.regex(/^\d+(\.\d+)?(ms|s|m|h)?$/)), v.number()]);
}
