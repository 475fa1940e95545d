/**
 * The option `--config`, and `plg.yaml` as the source of commands and options.
 *
 * A configuration becomes what the same options on the command line would be. So an option means
 * the same in both places, and the command line's own options come first: they replace those of the
 * file, or, if they are repeatable, follow them.
 */
import type { Command as Cli } from "commander";
import { dirname, join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { indexOfName, isSameName } from "../../base/container-name.ts";
import { findConfig } from "../../config/find.ts";
import type { System } from "../../config/system.ts";
import type { Path } from "../../config/place.ts";
import { readRun } from "../../dump/store/reader.ts";
import { parseLink } from "../../switch/core/link-spec.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { takeDumpArgument } from "./dump-argument.ts";
import { parseMask } from "../../replay/compare/parse-mask.ts";
import { checkIdentity } from "../../api/identity.ts";
import { parseSignal } from "./values.ts";

export interface ConfigFlags {
  /** The file; commander represents `--no-config` as `false`. */
  readonly config?: string | false;
}

export function addConfigFlags(cli: Cli): Cli {
  return cli
    .option(
      "--config <path>",
      "without commands: take them, and options, from this file (default: plg.yaml)",
    )
    .option("--no-config", "use no plg.yaml");
}

/** Says where commands and options come from. */
export function tellConfig(terminal: Terminal, { config }: ConfigFlags): void {
  if (typeof config === "string") terminal.info(`commands and options come from ${config}`);
}

/** Commands and options. */
export interface Given<Flags> {
  readonly texts: readonly string[];
  readonly flags: Flags;
}

/** What `plg record` was given, or what the file says. */
export async function configuredRecord<Flags extends ConfigFlags & { readonly classic?: boolean }>(
  texts: readonly string[],
  flags: Flags,
  cli: Cli,
): Promise<Given<Flags>> {
  const system = flags.classic ? undefined : await systemFor(flags, texts.length > 0);
  if (!system) return { texts, flags: { ...flags, config: false } };
  return { texts: commandTexts(system), flags: withSettings(flags, recordSettings(system), cli) };
}

interface ReplayFlags extends ConfigFlags {
  readonly file: string;
  readonly only?: string;
  readonly classic?: boolean;
}

/**
 * What `plg replay` was given, or what the file says if the recording has the file's containers.
 * Otherwise the file is not about this recording; that is an error only if the user named it.
 */
export async function configuredReplay<Flags extends ReplayFlags>(
  texts: readonly string[],
  flags: Flags,
  cli: Cli,
): Promise<Given<Flags>> {
  const { dump, rest } = takeDumpArgument(texts, flags);
  const system = flags.classic ? undefined : await systemFor(flags, rest.length > 0);
  const plain = { texts, flags: { ...flags, config: false } };
  if (!system) return plain;
  const named = dump === flags.file ? flags : { ...flags, file: dump };
  const merged = withSettings(named, replaySettings(system), cli);
  const file = dump === flags.file ? merged.file : dump;
  const { containers } = readRun(file);
  const recorded = containers.map(({ name }) => name);
  const lacking = system.containers.find(({ name }) => indexOfName(recorded, name) === undefined);
  if (lacking && flags.config === undefined) return plain;
  if (lacking)
    throw new UsageError(
      `${system.path} has a container '${lacking.name}', which ${file} lacks (it has ${recorded.join(", ")}): record again`,
    );
  const live = merged.only?.split(",").map((name) => name.trim()) ?? recorded;
  return { texts: commandTexts(system, live), flags: { ...merged, file } };
}

type Setting = string | boolean | readonly string[] | undefined;
/** Options by the names that commander has for them. */
type Settings = Readonly<Record<string, Setting>>;

/** Reads the file; undefined if the commands are given, or there is no file. */
async function systemFor(
  { config }: ConfigFlags,
  hasCommands: boolean,
): Promise<System | undefined> {
  if (config === false) return undefined;
  if (hasCommands) {
    if (config === undefined) return undefined;
    throw new UsageError(`--config ${config} is for a run without commands: leave out one of them`);
  }
  const path = config ?? findConfig();
  if (path === undefined) return undefined;
  // Loads the YAML library only where it is used.
  const { readSystem } = await import("../../config/read.ts");
  const system = readSystem(path);
  checkValues(system);
  return system;
}

/** `plg record` as the file describes it. */
function recordSettings({ path, file, containers }: System): Settings {
  return {
    ...commonSettings(path, file),
    needs: containers.flatMap(({ name, needs }) => needs.map((need) => `${name}=${need}`)),
    ready: containers.flatMap(({ name, ready }) =>
      ready === undefined ? [] : [`${name}=${ready}`],
    ),
    until: file.until,
    waitListen: textOf(file["wait-listen"]),
    subnet: file.subnet,
    subnet6: file.subnet6,
    ipv6: file.ipv6,
    seed: file.seed === false ? false : textOf(file.seed),
    link: file.links,
  };
}

/** `plg replay` as the file describes it. A recording has its own seed, subnet, links and end. */
function replaySettings({ path, file }: System): Settings {
  const { only, order, patience, clock } = file.replay ?? {};
  return {
    ...commonSettings(path, file),
    ignore: file.masks,
    only: typeof only === "string" ? only : only?.join(","),
    order,
    patience: textOf(patience),
    clock,
  };
}

function commonSettings(path: string, { file, kill, grace }: System["file"]) {
  const recording = file === undefined ? undefined : join(dirname(path), file);
  return { config: path, file: recording, kill, grace: textOf(grace) };
}

function textOf(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** The flags with the settings in place of those that the command line does not have. */
function withSettings<Flags extends object>(flags: Flags, settings: Settings, cli: Cli): Flags {
  const given = flags as Readonly<Record<string, unknown>>;
  const merged = Object.entries(settings)
    .filter(([name, value]) => isSet(value) && (isList(value) || !isGiven(cli, name)))
    .map(([name, value]) => [
      name,
      isList(value) ? [...value, ...((given[name] ?? []) as string[])] : value,
    ]);
  return { ...flags, ...(Object.fromEntries(merged) as Partial<Flags>) };
}

function isSet(value: Setting): boolean {
  return value !== undefined && !(isList(value) && value.length === 0);
}

function isList(value: Setting): value is readonly string[] {
  return typeof value === "object";
}

function isGiven(cli: Cli, option: string): boolean {
  return cli.getOptionValueSource(option) === "cli";
}

/** Each container's command, as an argument. */
function commandTexts(
  { containers }: System,
  names: readonly string[] = containers.map(({ name }) => name),
): string[] {
  return containers
    .filter(({ name }) => names.some((one) => isSameName(one, name)))
    .map(({ name, command }) => `${name}=${command}`);
}

/** Checks what the file's schema cannot, so that errors name the place in the file. */
function checkValues({ file, containers, errorIn }: System): void {
  const names = containers.map(({ name }) => name);
  const placed = (key: Path, check: () => unknown): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw errorIn(key, error.message.replace(/^--(link|ignore) /, ""));
    }
  };
  for (const [i, link] of (file.links ?? []).entries())
    placed(["links", i], () => parseLink(link, names));
  for (const [i, mask] of (file.masks ?? []).entries())
    placed(["masks", i], () => parseMask(mask, names));
  const { kill } = file;
  if (kill !== undefined) placed(["kill"], () => parseSignal(kill));
  for (const [name, entry] of Object.entries(file.containers)) {
    if (typeof entry === "string" || entry.user === undefined) continue;
    const [user, group] = String(entry.user).split(":");
    placed(["containers", name, "user"], () => {
      checkIdentity(user, "user");
      checkIdentity(group, "group");
    });
  }
}
