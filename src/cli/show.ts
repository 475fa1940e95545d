/** `plg show`: what a dump holds, as a table or as JSON. */
import { existsSync } from "node:fs";
import type { Command as Cli } from "commander";
import { UsageError } from "../base/errors.ts";
import { printableJson } from "../base/printable.ts";
import { plural } from "../base/text.ts";
import { readDump } from "../dump/reader.ts";
import { renderConnections } from "../report/connections.ts";
import { type DumpSummary, renderRun, summarize } from "../report/summary.ts";

const defaultFile = "dump.traffic";

interface ShowFlags {
  readonly file?: string;
  readonly json?: boolean;
}

export function addShow(program: Cli): void {
  program
    .command("show")
    .description("show what a dump holds: the run, its commands, and a table of the connections")
    .argument("[dump]", `the dump (default: ${defaultFile})`)
    .option("-f, --file <path>", "the dump, as the other commands have it")
    .option("--json", "the same for programs: one JSON object on standard output")
    .addHelpText("after", examples)
    .action((dump: string | undefined, flags: ShowFlags) => show(pathOf(dump, flags), flags));
}

const examples = `
Examples:
  $ plg show
  $ plg show nightly.traffic --json | jq '.totals'

'start' counts from the start of the run. 'sent' is what the client sent, 'received' what it got.
A connection ended 'closed' (both sides said so), 'reset by client', 'reset by server', 'refused',
'unanswered', or not before the recording did: 'open'.`;

function pathOf(dump: string | undefined, { file }: ShowFlags): string {
  if (dump !== undefined && file !== undefined && dump !== file)
    throw new UsageError(`two dumps were named, ${dump} and ${file}: show takes one`);
  const named = dump ?? file;
  if (named === undefined && !existsSync(defaultFile))
    throw new UsageError(`there is no ${defaultFile} here: name the dump, as in: plg show PATH`);
  return named ?? defaultFile;
}

function show(path: string, flags: ShowFlags): void {
  const summary = summarize(readDump(path));
  warnIfShort(path, summary);
  process.stdout.write(flags.json ? `${jsonOf(path, summary)}\n` : textOf(summary));
}

/** Every beginning of a dump is a recording, but whoever reads it should know that it is one. */
function warnIfShort(path: string, { end }: DumpSummary): void {
  if (end.complete) return;
  const where =
    end.tornAt === undefined ? "" : `; a torn tail from byte ${end.tornAt} on is left out`;
  process.stderr.write(
    `plg: warning: the recording ${path} was cut short, how its commands ended is not known${where}\n`,
  );
}

function textOf(summary: DumpSummary): string {
  const { packets } = summary;
  const others = packets === 0 ? "" : `and ${plural(packets, "packet")} other than TCP\n`;
  return `${renderRun(summary)}\n${renderConnections(summary)}${others}`;
}

function jsonOf(file: string, summary: DumpSummary): string {
  const { run, exits, end, durationNs, connections, totals, packets } = summary;
  const { startNs, containers, ...about } = run;
  return printableJson({
    file,
    ...about,
    startedAt: new Date(Number(startNs / 1_000_000n)).toISOString(),
    // More than a number can hold exactly.
    startNs: String(startNs),
    durationNs,
    complete: end.complete,
    tornAt: end.tornAt,
    commands: containers.map((container, index) => ({ ...container, ...exits[index] })),
    connections,
    totals,
    packets,
  });
}
