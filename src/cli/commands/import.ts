/** `plg import`: converts captures of tcpdump or Wireshark to a dump. */
import { statSync } from "node:fs";
import type { Command as Cli } from "commander";
import { importCapture } from "../../api/import.ts";
import { ExitCode } from "../errors/exit-code.ts";
import { printable, printableJson } from "../../base/printable.ts";
import { formatBytes } from "../../base/text.ts";
import { hostNames } from "../../capture/import/containers.ts";
import type { ImportProgress } from "../../capture/import/capture-source.ts";
import type { ImportResult } from "../../capture/track/result.ts";
import { importAsJson, isComplete, renderImport } from "../../report/import-summary.ts";
import { defaultFile } from "../options/dump-argument.ts";
import { collect } from "../options/values.ts";
import { endNow, interruptible } from "../terminal/interrupt.ts";
import { forResults, type Terminal } from "../terminal/terminal.ts";

interface ImportFlags {
  readonly output: string;
  readonly name?: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addImport(program: Cli, setExitCode: (code: number) => void): void {
  program
    .command("import")
    .summary("turn captures of tcpdump or Wireshark into a dump")
    .description("Turn captures of tcpdump or Wireshark into a dump: to show, compare and replay")
    .usage("[options] captures...")
    .argument(
      "<captures...>",
      "pcap or pcapng files, compressed by gzip or not, or pipes; - is standard input",
    )
    .option("-o, --output <path>", "write this dump", defaultFile)
    .option("--name <address=name>", "call the host of an address so (repeatable)", collect)
    .option("--force", "replace a file that is not a recording")
    .option("--json", "print a machine-readable summary on standard output")
    .addHelpText("after", examples)
    .action(async (captures: string[], flags: ImportFlags) =>
      setExitCode(await importFiles(captures, flags)),
    );
}

const examples = `
Examples:
  $ plg import trace.pcap
  $ plg import trace.pcapng.gz -o orders.traffic --name 10.1.2.3=db
  $ ssh gateway tcpdump -U -w - port 5432 | plg import -
  $ plg replay -f orders.traffic --only app app='./app'

Every address becomes a container. Exit code 1 says that something is missing in
the captures; the rest is imported.`;

async function importFiles(captures: readonly string[], flags: ImportFlags): Promise<number> {
  const names = Object.fromEntries(hostNames(flags.name ?? []));
  const terminal = forResults();
  const result = await withStatus(captures, terminal, (onProgress) =>
    importCapture(captures, {
      file: flags.output,
      names,
      force: flags.force === true,
      onProgress,
    }),
  );
  process.stdout.write(
    flags.json
      ? `${printableJson(importAsJson(result, flags.output))}\n`
      : printableText(renderImport(result, flags.output)),
  );
  tellKeys(result, terminal);
  return isComplete(result) ? ExitCode.ok : ExitCode.commandFailed;
}

/**
 * Runs the import, which reads the captures twice, with a status line. Ctrl-C usually ends the
 * program that writes a pipe as well, so plg first imports what that has captured.
 */
async function withStatus<T>(
  captures: readonly string[],
  terminal: Terminal,
  work: (onProgress: (progress: ImportProgress) => void) => Promise<T>,
): Promise<T> {
  const sizes = captures.map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let now: ImportProgress = { readBytes: 0, isCopying: false };
  let isWarned = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!now.isCopying || isWarned) endNow(signal);
    isWarned = true;
    terminal.info("imports what the pipe still has: interrupt again to give up");
  };
  terminal.startStatus(() => {
    // A pipe does not say how much there is to come.
    const of = now.isCopying || totalBytes === 0 ? "" : ` of ${formatBytes(totalBytes)}`;
    return `importing: ${formatBytes(now.readBytes)}${of} read`;
  });
  try {
    return await interruptible(onSignal, () => work((progress) => (now = progress)));
  } finally {
    terminal.stopStatus();
  }
}

function printableText(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function tellKeys({ keysFile }: ImportResult, terminal: Terminal): void {
  if (keysFile === undefined) return;
  terminal.info(`the captures carry TLS keys: they are in ${keysFile}, which is secret`);
}
