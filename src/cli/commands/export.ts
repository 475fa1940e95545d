/** `plg export`: writes part of a dump for others: as a dump, as text, or as files of streams. */
import { existsSync, readFileSync, statSync } from "node:fs";
import type { Command as Cli } from "commander";
import { UsageError } from "../../base/errors.ts";
import { plural } from "../../base/text.ts";
import type { DumpItem } from "../../dump/format/decoder.ts";
import { readDump } from "../../dump/store/reader.ts";
import { type ExportCounts, ExportFilter } from "../../export/events.ts";
import { writeDumpExport } from "../../export/write/dump.ts";
import { writeHar } from "../../export/write/har.ts";
import { writeCsv, writeJsonLines, writeStreams } from "../../export/write/text.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { readRecording } from "../../recording/load/read-recording.ts";
import { selectionFrom, type SelectionOptions } from "../../report/selection.ts";
import { toolVersion } from "../../api/version.ts";
import { keysPathOf } from "../../report/tls-keys.ts";
import { pathOf } from "../options/dump-argument.ts";
import { collect } from "../options/values.ts";
import { withProgress } from "../terminal/reading.ts";
import { forResults } from "../terminal/terminal.ts";

interface ExportFlags extends SelectionOptions {
  readonly file?: string;
  readonly output: string;
  readonly format?: string;
  readonly redact?: readonly string[];
  readonly keys: string | boolean;
  readonly force?: boolean;
}

const formats = ["dump", "pcapng", "jsonl", "csv", "har", "streams"] as const;
type Format = (typeof formats)[number];

export function addExport(program: Cli): void {
  program
    .command("export")
    .summary("write part of a dump for others, redacted if need be")
    .description(
      "Write part of a dump: as a dump, as text for other programs, as HAR, or as files of streams",
    )
    .usage("[options] [dump] -o <path>")
    .argument("[dump]", "the dump (default: dump.traffic)")
    .option("-f, --file <path>", "export this dump, as in other commands")
    .requiredOption(
      "-o, --output <path>",
      "write to this file, or with --format streams to this folder",
    )
    .option("--format <format>", `${formats.join(", ")} (default: by the name of the output)`)
    .optionsGroup("Selection:")
    .option("--only <words>", "of a container, #connection, :port or kind (repeatable)", collect)
    .option("--grep <regex>", "connections whose bytes match")
    .option("--from <time>", "with something from this time of the run on, such as 1.5s")
    .option("--to <time>", "with something up to this time")
    .optionsGroup("Secrets:")
    .option(
      "--redact <regex>",
      "overwrite what matches, in streams and packets (repeatable)",
      collect,
    )
    .option("--keys <path>", "put the TLS keys of this file in front (default: DUMP.keys)")
    .option("--no-keys", "leave TLS keys out")
    .option("--force", "replace a file that is not a recording")
    .addHelpText("after", examples)
    .action((dump: string | undefined, flags: ExportFlags) =>
      exportDump(pathOf("export", dump, flags), flags),
    );
}

const examples = `
A connection is exported whole if anything of it is selected. A redacted export
has no keys unless --keys names them.

Examples:
  $ plg export nightly.traffic -o shared.traffic --redact '(?<=password=)[^&]*'
  $ plg export -o api.pcapng --only api --from 1.5s
  $ plg export -o events.jsonl
  $ plg export -o requests.har`;

async function exportDump(path: string, flags: ExportFlags): Promise<void> {
  const format = formatOf(flags);
  const redactions = (flags.redact ?? []).map(parseRedaction);
  refuseSameFile(path, flags.output);
  const terminal = forResults();
  const { index } = await withProgress(path, terminal, (onRead) => readRecording(path, onRead));
  const selection = selectionFrom(
    flags,
    index.run.containers.map(({ name }) => name),
  );
  const payloads = new PayloadFile(path);
  try {
    const { bytes } = PayloadFile.room();
    const read = (position: number, lengthBytes: number): Uint8Array => {
      payloads.readInto(bytes, 0, position, lengthBytes);
      return bytes.subarray(0, lengthBytes);
    };
    const filter = new ExportFilter(index, read, { selection, redactions });
    const items = filter.items(readDump(path));
    const requests = writeItems(path, format, flags, items);
    terminal.info(summaryOf(filter.counts, flags, requests));
  } finally {
    payloads.close();
  }
}

/** Writes the items in the chosen format. Returns the number of HTTP requests for a HAR file. */
function writeItems(
  dump: string,
  format: Format,
  flags: ExportFlags,
  items: Iterable<DumpItem>,
): number | undefined {
  const { output } = flags;
  if (format === "har") return writeHar(output, items, toolVersion());
  if (format === "jsonl") writeJsonLines(output, items);
  else if (format === "csv") writeCsv(output, items);
  else if (format === "streams") writeStreams(output, items);
  else writeDumpExport(output, flags.force === true, items, keysFor(dump, flags));
  return undefined;
}

function summaryOf(
  { connections, packets, redactions }: ExportCounts,
  { output, redact }: ExportFlags,
  requests: number | undefined,
): string {
  const what =
    requests === undefined
      ? `${plural(connections, "connection")} and ${plural(packets, "packet")}`
      : `${plural(requests, "HTTP/1 request")} of ${plural(connections, "connection")}`;
  const redacted = redact === undefined ? "" : `, ${plural(redactions, "place")} redacted`;
  return `exported ${what} to ${output}${redacted}`;
}

function formatOf({ format, output }: ExportFlags): Format {
  const ending = /\.(jsonl|csv|har)$/.exec(output)?.[1];
  const named = format ?? ending ?? (output.endsWith("/") ? "streams" : "dump");
  const known = formats.find((one) => one === named);
  if (known !== undefined) return known;
  throw new UsageError(`--format '${named}' is not one of ${formats.join(", ")}`);
}

function parseRedaction(source: string): RegExp {
  try {
    return new RegExp(source, "gs");
  } catch (error) {
    throw new UsageError(`--redact '${source}': ${(error as Error).message}`);
  }
}

/**
 * Returns the run's TLS keys. A redacted export gets them only if `--keys` names them, because they
 * are secrets that undo the redaction of TLS.
 */
function keysFor(dump: string, { keys, redact }: ExportFlags): Uint8Array {
  const nothing = new Uint8Array(0);
  if (keys === false) return nothing;
  const path = typeof keys === "string" ? keys : keysPathOf(dump);
  if (typeof keys !== "string" && (redact !== undefined || !existsSync(path))) return nothing;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read --keys ${path}: ${(error as Error).message}`);
  }
}

function refuseSameFile(dump: string, output: string): void {
  const [from, to] = [dump, output].map((file) => statSync(file, { throwIfNoEntry: false }));
  if (from === undefined || from.dev !== to?.dev || from.ino !== to.ino) return;
  throw new UsageError(`-o ${output} is the dump itself: name another file`);
}
