/** Describes how two recordings differ, for people and for programs. */
import { plural } from "../base/text.ts";
import type { RecordingDiff } from "../diff/diff.ts";
import type { StreamName } from "../replay/findings/differences.ts";
import { describeDifference, renderDifference } from "./differences.ts";
import { type Paint, plain } from "./paint.ts";

/** The most connections listed that only one recording has. */
const mostNamed = 20;

/** The number of differences. */
export function countDifferences({ differences, onlyFirst, onlySecond }: RecordingDiff): number {
  return differences.length + onlyFirst.length + onlySecond.length;
}

/** Renders the differences for people. `names` are the two dumps' paths. Lines end in newlines. */
export function renderDiff(
  diff: RecordingDiff,
  names: readonly [string, string],
  most: number,
  paint: Paint = plain,
): string {
  const { differences, onlyFirst, onlySecond, compared } = diff;
  const count = countDifferences(diff);
  const verdict = count === 0 ? "no difference" : plural(count, "difference");
  const lines = [`compared ${plural(compared, "connection")}: ${verdict}`];
  for (const difference of differences.slice(0, most))
    lines.push("", ...renderDifference(difference, false, paint));
  if (differences.length > most)
    lines.push("", `and ${differences.length - most} more (--max-differences shows more)`);
  lines.push(...only(names[0], onlyFirst), ...only(names[1], onlySecond));
  return lines.map((line) => `${line}\n`).join("");
}

/** The differences as JSON. */
export function diffAsJson(
  { differences, onlyFirst, onlySecond, compared }: RecordingDiff,
  names: readonly [string, string],
): Record<string, unknown> {
  return {
    first: names[0],
    second: names[1],
    compared,
    differences: differences.map((one) => ({ ...one, text: describeDifference(one) })),
    onlyFirst,
    onlySecond,
  };
}

function only(name: string, connections: readonly StreamName[]): string[] {
  if (connections.length === 0) return [];
  const lines = connections
    .slice(0, mostNamed)
    .map(
      ({ connection, client, clientPort, server, serverPort }) =>
        `  connection ${connection} (${client}:${clientPort} \u2192 ${server}:${serverPort})`,
    );
  const left = connections.length - lines.length;
  return ["", `only in ${name}:`, ...lines, ...(left > 0 ? [`  and ${left} more`] : [])];
}
