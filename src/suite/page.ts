/** One page for all recordings of a suite, without scripts. Pure. */
import { formatDuration } from "../base/text.ts";
import { renderDifference } from "../report/differences.ts";
import { escapeXml } from "../report/junit.ts";
import { type CaseResult, describeSuite, hasPassed } from "./result.ts";

const style = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
tr{border-top:1px solid #8884}.passed td:first-child{color:#080}td:first-child{color:#c00;font-weight:600}
pre{overflow-x:auto;background:#8881;padding:.8rem}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}.passed td:first-child{color:#5c5}}`;

/** Those that failed come first, with all their differences. */
export function renderSuitePage(folder: string, results: readonly CaseResult[]): string {
  const sorted = results.toSorted(
    (a, b) => Number(hasPassed(a)) - Number(hasPassed(b)) || (a.name < b.name ? -1 : 1),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(folder)}: plg test</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeXml(folder)}</h1>
<p>${escapeXml(describeSuite(results))}</p>
<table>
<tr><th>state</th><th>recording</th><th>time</th><th>result</th></tr>
${sorted.map(renderRow).join("\n")}
</table>
</body>
</html>
`;
}

function renderRow(result: CaseResult): string {
  const { name, state, durationMs, summary } = result;
  const lines = linesOf(result);
  const text = escapeXml(summary);
  const details =
    lines.length === 0
      ? text
      : `<details${hasPassed(result) ? "" : " open"}><summary>${text}</summary><pre>${escapeXml(lines.join("\n"))}</pre></details>`;
  const cells = [state, escapeXml(name), formatDuration(durationMs), details];
  return `<tr class="${state}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

/** The differences, and the notes. */
function linesOf({ replayed }: CaseResult): string[] {
  if (!replayed) return [];
  const { differences, notes } = replayed.list;
  const hasOthers = differences.length > 1;
  return [
    ...differences.flatMap((one) => [...renderDifference(one, { hasOthers }), ""]),
    ...notes.flatMap((note) => renderDifference(note)),
  ];
}
