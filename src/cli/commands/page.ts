/**
 * The page that shows a dump, as one file: the viewer's code and style, the dump itself if it is not too large, and
 * where a replay differed, if it is of one.
 */
import { createHash } from "node:crypto";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { assert } from "../../base/assert.ts";
import { readRun } from "../../dump/store/reader.ts";
import type { DifferenceList } from "../../replay/findings/differences.ts";
import type { CarriedDifferences } from "../../report/carried.ts";
import type { Outcome } from "../../report/outcome.ts";
import { writeReport } from "./report-file.ts";

/** What a page carries: a browser unpacks so much in a second. Larger dumps are opened from the page. */
const mostCarriedBytes = 64 << 20;

/** Whether the page of this dump carries it. */
export function isCarried(dump: string): boolean {
  return statSync(dump).size <= mostCarriedBytes;
}

/** What the page of a replay shows besides the dump. */
export interface ReplayFindings {
  readonly outcome: Outcome;
  readonly differences: DifferenceList;
}

/**
 * Writes the page of a dump, and returns its length in bytes. Only its owner may read it, as it is
 * with the dump. Throws a {@link UsageError} that names `option`, which gave the path.
 */
export function writePage(
  page: string,
  dump: string,
  option: string,
  findings?: ReplayFindings,
): number {
  const html = renderPage(dump, findings);
  writeReport(option, page, html, 0o600);
  // A file that was there before keeps its mode when it is opened.
  chmodSync(page, 0o600);
  return Buffer.byteLength(html);
}

function renderPage(dump: string, findings: ReplayFindings | undefined): string {
  const [code, style] = [part("page.js"), part("page.css")];
  assert(!/<\/(script|style)/i.test(code + style), "neither ends the element that it is in");
  // Nothing but this code runs, whatever the dump says, and nothing is fetched or sent.
  const policy = `default-src 'none'; script-src '${sourceOf(code)}'; style-src '${sourceOf(style)}'`;
  const name = escaped(basename(dump));
  const differences: CarriedDifferences | undefined = findings && {
    startNs: String(readRun(dump).startNs),
    outcome: { verdict: findings.outcome.verdict, text: findings.outcome.text },
    list: findings.differences,
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>${style}</style>
</head>
<body>
${carriedPart("dump", name, isCarried(dump) ? readFileSync(dump) : undefined)}
${differences ? carriedPart("differences", name, JSON.stringify(differences)) : ""}
<script type="module">${code}</script>
</body>
</html>
`;
}

function part(name: string): string {
  return readFileSync(new URL(`../../viewer/${name}`, import.meta.url), "utf8");
}

/** What the viewer unpacks (viewer/carried.ts): an element for scripts, which browsers show nothing of, of a type that is no script. */
function carriedPart(id: string, name: string, content: Uint8Array | string | undefined): string {
  const text = content === undefined ? "" : gzipSync(content).toString("base64");
  return `<script id="${id}" type="application/gzip" data-name="${name}">${text}</script>`;
}

/** How a Content-Security-Policy names what stands in the page itself. */
function sourceOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] as string);
}
