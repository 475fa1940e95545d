/** Describes how two recordings differ, for people and for programs. */
import { plural } from "../base/text.ts";
import type { RecordingDiff } from "../diff/diff.ts";
import type { StreamName } from "../replay/findings/differences.ts";
import { describeDifference, type DifferenceView, renderDifference } from "./differences.ts";

/** The most connections listed that only one recording has. */
const mostNamed = 20;

/** The number of differences. */
export function countDifferences({ differences, onlyFirst, onlySecond }: RecordingDiff): number {
  return differences.length + onlyFirst.length + onlySecond.length;
}

/** Options for rendering a diff. */
export interface DiffView extends Omit<DifferenceView, "all" | "toShowAll"> {
  /** The most differences shown. */
  readonly most: number;
}

/** Renders the differences for people. `names` are the two dumps' paths. Lines end in newlines. */
export function renderDiff(
  diff: RecordingDiff,
  names: readonly [string, string],
  view: DiffView,
): string {
  const { differences, onlyFirst, onlySecond, compared } = diff;
  const count = countDifferences(diff);
  const verdict = count === 0 ? "no difference" : plural(count, "difference");
  const lines = [`compared ${plural(compared, "connection")}: ${verdict}`];
  for (const difference of differences.slice(0, view.most))
    lines.push("", ...renderDifference(difference, view));
  const left = differences.length - view.most;
  if (left > 0) lines.push("", `and ${left} more (${view.toKeepMore} shows more)`);
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
