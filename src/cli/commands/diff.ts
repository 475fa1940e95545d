/** `plg diff`: compares two recordings. */
import type { Command as Cli } from "commander";
import { ExitCode } from "../errors/exit-code.ts";
import { printable, printableJson } from "../../base/printable.ts";
import { appendFileSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import { plural } from "../../base/text.ts";
import { diffRecordings, type RecordingDiff } from "../../diff/diff.ts";
import { learnFromRecordings } from "../../diff/learn.ts";
import type { DiffSide } from "../../diff/pairing.ts";
import { equalBytes } from "../../recording/load/equal-bytes.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { readRecording } from "../../recording/load/read-recording.ts";
import type { Mask } from "../../replay/compare/masks.ts";
import { renderMasks } from "../../replay/learn/learn.ts";
import { diffOutcome } from "../../report/diff-outcome.ts";
import { renderJunit } from "../../report/junit.ts";
import { countDifferences, diffAsJson, renderDiff } from "../../report/recording-diff.ts";
import { parseMask } from "../../replay/compare/parse-mask.ts";
import { collect, parseCount } from "../options/values.ts";
import { withProgress } from "../terminal/reading.ts";
import { forResults, type Terminal } from "../terminal/terminal.ts";
import { type MaskFlags, readMasks } from "./masks.ts";
import { writePage } from "./page.ts";
import { checkReport, writeReport } from "./report-file.ts";

interface DiffFlags extends Omit<MaskFlags, "learn"> {
  readonly json?: boolean;
  readonly junit?: string;
  readonly page?: string;
  readonly maxDifferences: string;
  readonly learn?: boolean;
}

type OpenSide = DiffSide & { readonly file: PayloadFile };

export function addDiff(program: Cli, setExitCode: (code: number) => void): void {
  program
    .command("diff")
    .summary("compare two recordings, connection by connection")
    .description(
      "Compare two recordings, connection by connection: the first difference of each stream, and\nwhat only one of them has. The exit code is 3 if they differ",
    )
    .argument("<first>", "a dump")
    .argument("<second>", "another one")
    .option(
      "--ignore <mask>",
      "mask what may differ, as [name][:port]/regex/ (repeatable)",
      collect,
    )
    .option("--ignore-file <path>", "read masks from this file, one per line")
    .option("--learn", "add masks to the ignore file that explain what differs")
    .option("--max-differences <n>", "show at most this many differences", "100")
    .option("--json", "print one JSON object instead")
    .option("--junit <path>", "write the result as JUnit XML")
    .option(
      "--page <path>",
      "write a page that shows the first dump in a browser, and where they differ",
    )
    .addHelpText("after", examples)
    .action(async (first: string, second: string, flags: DiffFlags) =>
      setExitCode(await diff(first, second, flags)),
    );
}

const examples = `
Examples:
  $ plg diff main.traffic branch.traffic
  $ plg diff main.traffic branch.traffic --ignore ':80/^Date: .*$/m'
  $ plg diff main.traffic again.traffic --learn --ignore-file masks.txt

Connections are matched by the names of their containers and the server's port.`;

async function diff(first: string, second: string, flags: DiffFlags): Promise<ExitCode> {
  const most = parseCount(flags.maxDifferences, "--max-differences", 1e6);
  const { learn, ignoreFile } = flags;
  if (learn && ignoreFile === undefined)
    throw new UsageError("--learn needs --ignore-file PATH: masks are added to that file");
  for (const dump of [first, second]) {
    checkReport(dump, "--junit", flags.junit);
    checkReport(dump, "--page", flags.page);
  }
  const startedMs = performance.now();
  const terminal = forResults();
  const sides = [await open(first, terminal), await open(second, terminal)] as const;
  try {
    const masks = readMasks(
      { ...flags, learn: learn ? ignoreFile : undefined },
      sides[0].index.run.containers,
    );
    const found =
      learn && ignoreFile !== undefined
        ? learnInto(ignoreFile, sides, masks, terminal)
        : diffRecordings(sides[0], sides[1], masks, equalBytes);
    print(found, [first, second], flags, most);
    writeReports(found, sides[0], first, { ...flags, most, startedMs });
    return countDifferences(found) === 0 ? ExitCode.ok : ExitCode.replayDiffers;
  } finally {
    for (const side of sides) side.file.close();
  }
}

/** Adds the masks that explain differences to the file. Returns the differences that are left. */
function learnInto(
  path: string,
  [first, second]: readonly [OpenSide, OpenSide],
  given: readonly Mask[],
  terminal: Terminal,
): RecordingDiff {
  const names = first.index.run.containers.map(({ name }) => name);
  const parse = (mask: string): Mask => parseMask(mask, names);
  const { masks, left } = learnFromRecordings(first, second, given, parse, equalBytes);
  if (masks.length > 0) appendMasks(path, renderMasks(masks, "2 recordings"));
  terminal.info(`learned ${plural(masks.length, "mask")}: use them with --ignore-file ${path}`);
  return left;
}

function appendMasks(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw new UsageError(`cannot write --ignore-file ${path}: ${(error as Error).message}`);
  }
}

function print(
  found: RecordingDiff,
  names: readonly [string, string],
  { json }: DiffFlags,
  most: number,
): void {
  const view = { most, toKeepMore: "--max-differences", toMask: "--ignore" };
  process.stdout.write(
    json
      ? `${printableJson(diffAsJson(found, names))}\n`
      : renderDiff(found, names, view).split("\n").map(printable).join("\n"),
  );
}

function writeReports(
  found: RecordingDiff,
  { index }: DiffSide,
  dump: string,
  {
    junit,
    page,
    most,
    startedMs,
  }: {
    readonly junit?: string;
    readonly page?: string;
    readonly most: number;
    readonly startedMs: number;
  },
): void {
  if (junit === undefined && page === undefined) return;
  const { outcome, differences } = diffOutcome(found, index, most);
  const durationMs = performance.now() - startedMs;
  const run = { command: "plg diff", name: dump, durationMs, toMask: "--ignore" } as const;
  if (junit !== undefined) writeReport("--junit", junit, renderJunit(run, outcome, differences));
  if (page !== undefined) writePage(page, dump, "--page", { outcome, differences });
}

/** Opens a dump and its payloads. The bytes of a read are valid until the next read. */
async function open(path: string, terminal: Terminal): Promise<OpenSide> {
  const { index } = await withProgress(path, terminal, (onRead) => readRecording(path, onRead));
  const file = new PayloadFile(path);
  const { bytes } = PayloadFile.room();
  const read = (position: number, lengthBytes: number): Uint8Array => {
    file.readInto(bytes, 0, position, lengthBytes);
    return bytes.subarray(0, lengthBytes);
  };
  return { index, read, file };
}
