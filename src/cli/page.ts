/** The page that shows a dump, as one file: the viewer's code and style, and the dump itself if it is given. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { assert } from "../base/assert.ts";

const part = (name: string): string =>
  readFileSync(new URL(`../viewer/${name}`, import.meta.url), "utf8");

/** The page as HTML. `name` is what it calls the dump; without `dump` it asks its user for the file. */
export function renderPage(name: string, dump: Uint8Array | undefined): string {
  const [code, style] = [part("page.js"), part("page.css")];
  assert(!/<\/(script|style)/i.test(code + style), "neither ends the element that it is in");
  // Nothing but this code runs, whatever the dump says, and nothing is fetched or sent.
  const policy = `default-src 'none'; script-src '${sourceOf(code)}'; style-src '${sourceOf(style)}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}</title>
<style>${style}</style>
</head>
<body>
${dumpElement(name, dump)}
<script type="module">${code}</script>
</body>
</html>
`;
}

/** What carriedDump of the viewer reads: an element for scripts, which browsers show nothing of, of a type that is no script. */
function dumpElement(name: string, dump: Uint8Array | undefined): string {
  const text = dump === undefined ? "" : gzipSync(dump).toString("base64");
  return `<script id="dump" type="application/gzip" data-name="${escaped(name)}">${text}</script>`;
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
