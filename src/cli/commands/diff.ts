/** `plg diff`: compares two recordings. */
import type { Command as Cli } from "commander";
import { ExitCode } from "../errors/exit-code.ts";
import { printable, printableJson } from "../../base/printable.ts";
import { diffRecordings } from "../../diff/diff.ts";
import type { DiffSide } from "../../diff/pairing.ts";
import { equalBytes } from "../../recording/load/equal-bytes.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { readRecording } from "../../recording/load/read-recording.ts";
import { countDifferences, diffAsJson, renderDiff } from "../../report/recording-diff.ts";
import { collect, parseCount } from "../options/values.ts";
import { withProgress } from "../terminal/reading.ts";
import { forResults, type Terminal } from "../terminal/terminal.ts";
import { type MaskFlags, readMasks } from "./masks.ts";

interface DiffFlags extends MaskFlags {
  readonly json?: boolean;
  readonly maxDifferences: string;
}

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
    .option("--max-differences <n>", "show at most this many differences", "100")
    .option("--json", "print one JSON object instead")
    .addHelpText("after", examples)
    .action(async (first: string, second: string, flags: DiffFlags) =>
      setExitCode(await diff(first, second, flags)),
    );
}

const examples = `
Examples:
  $ plg diff main.traffic branch.traffic
  $ plg diff main.traffic branch.traffic --ignore ':80/^Date: .*$/m'

Connections are matched by the names of their containers and the server's port.`;

async function diff(first: string, second: string, flags: DiffFlags): Promise<number> {
  const most = parseCount(flags.maxDifferences, "--max-differences", 1e6);
  const terminal = forResults();
  const sides = [await open(first, terminal), await open(second, terminal)] as const;
  try {
    const masks = readMasks(flags, sides[0].index.run.containers);
    const found = diffRecordings(sides[0], sides[1], masks, equalBytes);
    const names = [first, second] as const;
    const text = flags.json
      ? `${printableJson(diffAsJson(found, names))}\n`
      : renderDiff(found, names, { most, toKeepMore: "--max-differences", toMask: "--ignore" })
          .split("\n")
          .map(printable)
          .join("\n");
    process.stdout.write(text);
    return countDifferences(found) === 0 ? ExitCode.ok : ExitCode.replayDiffers;
  } finally {
    for (const side of sides) side.file.close();
  }
}

/** Opens a dump and its payloads. The bytes of a read are valid until the next read. */
async function open(
  path: string,
  terminal: Terminal,
): Promise<DiffSide & { readonly file: PayloadFile }> {
  const { index } = await withProgress(path, terminal, (onRead) => readRecording(path, onRead));
  const file = new PayloadFile(path);
  const { bytes } = PayloadFile.room();
  const read = (position: number, lengthBytes: number): Uint8Array => {
    file.readInto(bytes, 0, position, lengthBytes);
    return bytes.subarray(0, lengthBytes);
  };
  return { index, read, file };
}
