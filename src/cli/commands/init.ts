/** `plg init`: writes a plg.yaml to start from. */
import type { Command as Cli } from "commander";
import { existsSync, writeFileSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import { plural } from "../../base/text.ts";
import { draftFromCompose } from "../../config/compose.ts";
import { type Draft, example, renderDraft } from "../../config/draft.ts";
import { configName } from "../../config/find.ts";
import { readText } from "../../config/read.ts";
import { parseSystem, type System } from "../../config/system.ts";
import { parseCommand, planTopology } from "../../sandbox/network/topology.ts";
import { ExitCode } from "../errors/exit-code.ts";

interface InitFlags {
  readonly compose?: string;
  readonly output: string;
  readonly force?: boolean;
}

/** Where the package has the schema, seen from a project that has installed it. */
const schemaPath = "./node_modules/net-playground/plg.schema.json";
/** In the order in which docker compose looks for them. */
const composeNames = [
  "compose.yaml",
  "compose.yml",
  "docker-compose.yml",
  "docker-compose.yaml",
] as const;

export function addInit(program: Cli, setExitCode: (code: number) => void): void {
  program
    .command("init")
    .summary("write a plg.yaml: a file that describes a system of containers")
    .description(
      "Write a plg.yaml from these commands, from a compose file's services that have commands, or from an example",
    )
    .usage("[options] [[name=]command...]")
    .argument("[commands...]", "what /bin/sh -c runs, one argument for each container")
    .option("--compose <path>", "take the services of this file (default: one found here)")
    .option("-o, --output <path>", "write this file", configName)
    .option("--force", "replace a file that is there")
    .action((texts: string[], flags: InitFlags) => setExitCode(init(texts, flags)));
}

function init(texts: readonly string[], flags: InitFlags): ExitCode {
  const { output, force } = flags;
  if (existsSync(output) && force !== true)
    throw new UsageError(`${output} exists: replace it with --force, or name another with -o`);
  const text = renderDraft(draftOf(texts, flags), schemaPath);
  const { containers } = parseSystem(output, text, ".");
  write(output, text);
  process.stderr.write(`plg: wrote ${output} with ${describe(containers)}\n`);
  return ExitCode.ok;
}

function draftOf(texts: readonly string[], { compose }: InitFlags): Draft {
  if (texts.length > 0 && compose !== undefined)
    throw new UsageError("--compose and commands exclude each other");
  if (texts.length > 0) return draftFromCommands(texts);
  const path = compose ?? composeNames.find((name) => existsSync(name));
  return path === undefined ? example : draftFromCompose(path, readText(path));
}

function draftFromCommands(texts: readonly string[]): Draft {
  const { containers } = planTopology([], texts.map(parseCommand));
  const entries = containers.map(({ name, command }) => [name, command] as const);
  return { file: { containers: Object.fromEntries(entries) }, notes: [] };
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as Error).message}`);
  }
}

function describe(containers: System["containers"]): string {
  const names = containers.map(({ name }) => name).join(", ");
  return `${plural(containers.length, "container")} (${names}); 'plg record' uses it`;
}
