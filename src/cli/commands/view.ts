/** `plg view`: a page for the browser that shows a dump. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command as Cli } from "commander";
import { UsageError } from "../../base/errors.ts";
import { formatBytes } from "../../base/text.ts";
import { readRun } from "../../dump/store/reader.ts";
import { defaultFile, pathOf } from "../options/dump-argument.ts";
import { isCarried } from "../../api/page.ts";
import { writePage } from "./page.ts";
import { checkReport } from "./report-file.ts";
import { warnIfIncomplete } from "../terminal/incomplete.ts";
import { summarizeShown } from "../terminal/reading.ts";
import { forResults } from "../terminal/terminal.ts";

interface ViewFlags {
  readonly file?: string;
  readonly output?: string;
}

export function addView(program: Cli): void {
  program
    .command("view")
    .summary("write a page that shows a dump in a browser")
    .description("Write a page that shows a dump in a browser: who said what to whom, and when")
    .usage("[options] [dump]")
    .argument("[dump]", `the dump (default: ${defaultFile})`)
    .option("-f, --file <path>", "show this dump, as in other commands")
    .option("-o, --output <path>", "write the page here (default: the dump's name and .html)")
    .addHelpText("after", examples)
    .action((dump: string | undefined, flags: ViewFlags) =>
      view(pathOf("view", dump, flags), flags),
    );
}

const examples = `
Examples:
  $ plg view
  $ plg view nightly.traffic -o nightly.html

The page is one file that fetches nothing and sends nothing. It contains a dump
of up to 64 MiB. A larger one is chosen in the page, which reads it from disk.
The page is as private as the dump (mode 0600).`;

async function view(path: string, { output = `${path}.html` }: ViewFlags): Promise<void> {
  checkReport(path, "-o", output);
  // Reports an unreadable dump here, not in the page.
  readRun(path);
  if (!statSync(path).isFile())
    throw new UsageError(
      `cannot make a page of ${path}, which is no ordinary file: write it to one`,
    );
  const terminal = forResults();
  if (isCarried(path)) warnIfIncomplete(terminal, path, await summarizeShown(path, terminal));
  const lengthBytes = writePage(output, path, "-o");
  process.stdout.write(`${output}\n`);
  const use = isCarried(path) ? "" : `, and choose ${path} there`;
  process.stderr.write(
    `plg: a page of ${formatBytes(lengthBytes)}: open ${pathToFileURL(resolve(output)).href} in a browser${use}\n`,
  );
}
