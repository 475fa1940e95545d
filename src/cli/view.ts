/** `plg view`: a page for the browser that shows a dump. */
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command as Cli } from "commander";
import { UsageError } from "../base/errors.ts";
import { formatBytes } from "../base/text.ts";
import { describeErrno } from "../dump/file.ts";
import { readDump, readRun } from "../dump/reader.ts";
import { summarize } from "../report/summary.ts";
import { defaultFile, pathOf, warnIfShort } from "./dump-argument.ts";
import { renderPage } from "./page.ts";

/** What a page carries: a browser unpacks so much in a second. Larger dumps are opened from the page. */
const mostCarriedBytes = 64 << 20;

interface ViewFlags {
  readonly file?: string;
  readonly output?: string;
}

export function addView(program: Cli): void {
  program
    .command("view")
    .description("write a page that shows a dump in a browser: who said what to whom, and when")
    .argument("[dump]", `the dump (default: ${defaultFile})`)
    .option("-f, --file <path>", "the dump, as the other commands have it")
    .option("-o, --output <path>", "the page (default: the dump's name and .html)")
    .addHelpText("after", examples)
    .action((dump: string | undefined, flags: ViewFlags) =>
      view(pathOf("view", dump, flags), flags),
    );
}

const examples = `
Examples:
  $ plg view
  $ plg view nightly.traffic -o nightly.html

The page is one file that fetches nothing and sends nothing. It carries the dump, if that has no more
than 64 MiB; a larger one is chosen in the page, and read from the disk as it is looked at.
It is as private as the dump (mode 0600).`;

function view(path: string, { output = `${path}.html` }: ViewFlags): void {
  // What cannot be read is told here, not in the page.
  readRun(path);
  const dump = smallDump(path);
  const page = renderPage(basename(path), dump);
  writePage(output, page);
  process.stdout.write(`${output}\n`);
  const use = dump ? "" : `, and choose ${path} there`;
  process.stderr.write(
    `plg: a page of ${formatBytes(Buffer.byteLength(page))}: open ${pathToFileURL(resolve(output)).href} in a browser${use}\n`,
  );
}

/** The dump's bytes, if the page is to carry them. */
function smallDump(path: string): Uint8Array | undefined {
  if (statSync(path).size > mostCarriedBytes) return undefined;
  warnIfShort(path, summarize(readDump(path)).end);
  return readFileSync(path);
}

/** Only the owner may read it, as it is with the dump. */
function writePage(output: string, page: string): void {
  try {
    writeFileSync(output, page, { mode: 0o600 });
    chmodSync(output, 0o600);
  } catch (error) {
    const { code, words } = describeErrno(error);
    throw new UsageError(
      `cannot write the page ${output}: ${words} (${code}); name another with -o PATH`,
    );
  }
}
