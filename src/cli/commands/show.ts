/** `plg show`: prints the content of a dump as a table or as JSON. */
import type { Command as Cli } from "commander";
import { UsageError } from "../../base/errors.ts";
import { printableJson } from "../../base/printable.ts";
import { plural } from "../../base/text.ts";
import { renderConnections } from "../../report/connection-table.ts";
import { type DumpSummary, renderRun } from "../../report/summary.ts";
import { defaultFile, pathOf } from "../options/dump-argument.ts";
import { warnIfIncomplete } from "../terminal/incomplete.ts";
import { type ShownSummary, summarizeShown } from "../terminal/reading.ts";
import { showConnection } from "./show-connection.ts";
import { showStats } from "./show-stats.ts";
import { showTimeline } from "./show-timeline.ts";
import { columnsOf } from "../terminal/paint.ts";
import { forResults } from "../terminal/terminal.ts";
import { collect, parseCount } from "../options/values.ts";

interface ShowFlags {
  readonly file?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly connection?: string;
  readonly hex?: boolean;
  readonly stats?: boolean;
  readonly timeline?: boolean;
  readonly follow?: boolean;
  readonly only?: readonly string[];
  readonly grep?: string;
  readonly from?: string;
  readonly to?: string;
}

export function addShow(program: Cli): void {
  program
    .command("show")
    .summary("show what a dump holds")
    .description("Show what a dump holds: the run, its commands, and a table of its connections")
    .usage("[options] [dump]")
    .argument("[dump]", `the dump (default: ${defaultFile})`)
    .option("-f, --file <path>", "show this dump, as in other commands")
    .option("--json", "print one JSON object instead")
    .option("-v, --verbose", "list attempts that another one replaced, too")
    .option("-c, --connection <number>", "show the bytes of this connection instead")
    .option("--hex", "with --connection: in hexadecimal")
    .option("--stats", "show bytes and latencies of each pair of containers instead")
    .optionsGroup("Timeline (any of these shows it):")
    .option("-t, --timeline", "show all messages of the run in order, decoded where possible")
    .option("--follow", "go on while the run is being recorded")
    .option("--only <words>", "of a container, #connection, :port or kind (repeatable)", collect)
    .option("--grep <regex>", "whose line matches")
    .option("--from <time>", "from this time of the run on, such as 1.5s")
    .option("--to <time>", "up to this time")
    .addHelpText("after", examples)
    .action((dump: string | undefined, flags: ShowFlags) =>
      show(pathOf("show", dump, flags), flags),
    );
}

const examples = `
Columns:
  'start' counts from the start of the run. 'sent' is what the client sent,
  'received' what it got. 'ended' is how the connection ended: 'closed' (by
  both), 'reset by client', 'reset by server', 'refused', 'unanswered', or
  'open' when the recording ended.

Examples:
  $ plg show
  $ plg show nightly.traffic --json | jq '.totals'
  $ plg show --connection 3
  $ plg show --grep 'POST|error' --only api --from 1.5s
  $ plg show --follow`;

async function show(path: string, flags: ShowFlags): Promise<void> {
  checkCombination(flags);
  if (flags.stats) return showStats(path, flags.json === true);
  if (flags.timeline || selectsLines(flags)) return await showTimeline(path, flags);
  if (flags.connection !== undefined) {
    const number = parseCount(flags.connection, "--connection", 2 ** 32 - 1);
    return await showConnection(path, number, flags.hex ? "hexadecimal" : "text");
  }
  const terminal = forResults();
  const summary = await summarizeShown(path, terminal);
  warnIfIncomplete(terminal, path, summary);
  const text = flags.json ? `${jsonOf(path, summary)}\n` : textOf(summary, flags.verbose === true);
  process.stdout.write(text);
}

function checkCombination(flags: ShowFlags): void {
  const { connection, timeline, stats, json, hex } = flags;
  if (connection !== undefined && json)
    throw new UsageError("--connection and --json exclude each other");
  if (connection !== undefined && timeline)
    throw new UsageError(
      `--connection and --timeline exclude each other: try --timeline --only '#${connection}'`,
    );
  if (stats && (connection !== undefined || timeline))
    throw new UsageError("--stats excludes --connection and --timeline");
  if (hex && connection === undefined) throw new UsageError("--hex is for --connection");
  if (selectsLines(flags) && (stats || connection !== undefined))
    throw new UsageError("--follow, --only, --grep, --from and --to are for the timeline");
}

/** Whether options concern the timeline, which they then show. */
function selectsLines({ follow, only = [], grep, from, to }: ShowFlags): boolean {
  return follow === true || only.length > 0 || [grep, from, to].some((one) => one !== undefined);
}

function textOf(summary: DumpSummary, all: boolean): string {
  const { packets } = summary;
  const others = packets === 0 ? "" : `and ${plural(packets, "packet")} other than TCP\n`;
  const columns = columnsOf(process.stdout);
  const table = renderConnections(summary, { columns, all, toShowAll: "-v" });
  return `${renderRun(summary, columns)}\n${table}${others}`;
}

function jsonOf(file: string, summary: ShownSummary): string {
  const { run, exits, end, completeness, durationNs, connections, totals, packets } = summary;
  const { startNs, containers, ...about } = run;
  return printableJson({
    file,
    ...about,
    startedAt: new Date(Number(startNs / 1_000_000n)).toISOString(),
    // Text, because a number cannot hold it exactly.
    startNs: String(startNs),
    durationNs,
    complete: end.complete,
    completeness,
    tornAt: end.tornAt,
    commands: containers.map((container, index) => ({ ...container, ...exits[index] })),
    connections,
    totals,
    packets,
  });
}
