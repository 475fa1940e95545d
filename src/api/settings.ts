/** What recordings and replays have in common, and its defaults. */
import { randomInt } from "node:crypto";
import { nameAmong } from "../base/container-name.ts";
import { UsageError } from "../base/errors.ts";
import type { OutputSink } from "../sandbox/processes/command.ts";
import type { RunOptions, Until } from "../sandbox/processes/run.ts";
import type { NamedContainer, OutputChoice } from "./containers.ts";
import { type RunEvents, sinkFor } from "./events.ts";
import { identityOf, type IdentitySettings } from "./identity.ts";

/** The options that recordings and replays share. All have defaults. */
export interface RunSettings extends IdentitySettings {
  /**
   * When the run ends by itself: when `all` commands have ended, the `first`, or the command of the
   * container with this name. With `all` and a calling process that takes part, not before that
   * calls `finish`. @default "all"
   */
  readonly until?: "all" | "first" | (string & {}) | undefined;
  /** The signal that stops commands. @default "SIGTERM" */
  readonly stopSignal?: NodeJS.Signals | undefined;
  /**
   * Commands that still run this long after that signal are killed, in milliseconds. @default 5000
   */
  readonly graceMs?: number | undefined;
  /**
   * Conditions of links, as for `plg record --link`: `"app<->db: delay 40ms loss 1%"`.
   * @default none: links are perfect
   */
  readonly links?: readonly string[] | undefined;
  /** Where output of commands goes, or a sink that takes it. @default "events" */
  readonly output?: OutputChoice | OutputSink | undefined;
  /**
   * The calling process's name as a container, or false if it takes no part. It has the address
   * after the last container's. @default "test"
   */
  readonly caller?: string | false | undefined;
  /** Aborting it stops the run, as `stop` does; or keeps it from starting. */
  readonly signal?: AbortSignal | undefined;
}

const defaults = { stopSignal: "SIGTERM", graceMs: 5000, caller: "test" } as const;

/** The calling process's name as a container, if it takes part. */
export function callerName({ caller = defaults.caller }: RunSettings): string | undefined {
  return caller === false ? undefined : caller;
}

/** The common options of a session. `containers` are those whose commands run. */
export function runOptionsOf(
  settings: RunSettings,
  containers: readonly (NamedContainer & { readonly name: string })[],
  events: RunEvents,
): RunOptions {
  const { stopSignal = defaults.stopSignal, graceMs = defaults.graceMs } = settings;
  const names = containers.map(({ name }) => name);
  return {
    identity: identityOf(settings),
    until: untilOf(settings.until, names),
    stopSignal,
    graceMs,
    output: outputOf(settings, containers, events),
  };
}

/** Parses `all`, `first`, or a container's name, which must be one of `names`. */
export function untilOf(until: string = "all", names: readonly string[]): Until {
  const name = nameAmong(names, until);
  if (name !== undefined) return { name };
  if (until === "all" || until === "first") return until;
  throw new UsageError(
    `'${until}' is neither 'all', 'first' nor a command's name (${names.join(", ")})`,
    { argument: "until" },
  );
}

function outputOf(
  { output = "events" }: RunSettings,
  containers: readonly (NamedContainer & { readonly name: string })[],
  events: RunEvents,
): OutputSink {
  if (typeof output !== "string") return output;
  const own = new Map(containers.map((container) => [container.name, container.output]));
  return sinkFor(events, (name) => own.get(name) ?? output);
}

/** The most values that `randomInt` supports. A seed of 48 bits cannot be guessed. */
const freshSeeds = 2 ** 48 - 1;

/** The given seed, or a fresh one. */
export function seedOf(seed: number | false | undefined): number {
  if (seed === undefined || seed === false) return randomInt(freshSeeds);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new UsageError(`'${seed}' is not a whole number up to ${Number.MAX_SAFE_INTEGER}`, {
    argument: "seed",
  });
}
