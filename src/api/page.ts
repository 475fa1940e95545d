/**
 * Makes the page that shows a dump. It is one file with the viewer's code and style, the dump
 * itself unless it is too large, and, for a replay, the differences.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { assert } from "../base/assert.ts";
import { readRun } from "../dump/store/reader.ts";
import type { DifferenceList } from "../replay/findings/differences.ts";
import type { CarriedDifferences } from "../report/carried.ts";
import type { Outcome } from "../report/outcome.ts";
import { keysPathOf } from "../report/tls-keys.ts";

/**
 * The largest dump embedded in a page: a browser unpacks it in a second. Larger dumps are opened
 * from the page.
 */
const mostCarriedBytes = 64 << 20;

/** Whether the page embeds this dump. */
export function isCarried(dump: string): boolean {
  return statSync(dump).size <= mostCarriedBytes;
}

/** The findings that the page of a replay adds to the dump. */
export interface ReplayFindings {
  readonly outcome: Outcome;
  readonly differences: DifferenceList;
}

/** The page of a dump, as HTML. Like the dump, only its owner should be able to read it. */
export function renderPage(dump: string, findings?: ReplayFindings): string {
  const [code, style] = [part("page.js"), part("page.css")];
  assert(!/<\/(script|style)/i.test(code + style), "neither ends the element that it is in");
  // Only this code runs, whatever the dump contains, and nothing is fetched or sent.
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
${carriedPart("dump", name, isCarried(dump) ? readFileSync(dump) : undefined, keysNear(dump))}
${differences ? carriedPart("differences", name, JSON.stringify(differences)) : ""}
<script type="module">${code}</script>
</body>
</html>
`;
}

function part(name: string): string {
  return readFileSync(new URL(`../viewer/${name}`, import.meta.url), "utf8");
}

/**
 * A part that the viewer unpacks (viewer/carried.ts). Browsers do not render script elements, and
 * do not execute one of this type.
 */
function carriedPart(
  id: string,
  name: string,
  content: Uint8Array | string | undefined,
  keys?: string,
): string {
  const hint = keys === undefined ? "" : ` data-keys="${escaped(keys)}"`;
  const text = content === undefined ? "" : gzipSync(content).toString("base64");
  return `<script id="${id}" type="application/gzip" data-name="${name}"${hint}>${text}</script>`;
}

/** The name of the file with the run's TLS keys, if there is one. The page does not hold them. */
function keysNear(dump: string): string | undefined {
  const keys = keysPathOf(dump);
  return existsSync(keys) ? basename(keys) : undefined;
}

/** The source expression of a Content-Security-Policy for an inline element. */
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
