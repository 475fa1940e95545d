/** Describes where a replay differed from the recording, for people and for programs. */
import { unreachable } from "../base/assert.ts";
import { formatDuration, plural } from "../base/text.ts";
import type {
  Difference,
  DifferenceList,
  EndState,
  StreamName,
} from "../replay/findings/differences.ts";
import { crashOf } from "../replay/findings/command-ends.ts";
import { type Paint, plain } from "./paint.ts";
import { sideBySide } from "./side-by-side.ts";

/** A difference in JSON, with a sentence that describes it. */
type ReportedDifference = Difference & { readonly text: string };

/** The list in JSON. */
export interface DifferenceReport {
  readonly count: number;
  readonly byProcess: Readonly<Record<string, number>>;
  readonly differences: readonly ReportedDifference[];
  readonly notes: readonly ReportedDifference[];
}

export function reportDifferences(list: DifferenceList): DifferenceReport {
  return {
    count: list.count,
    byProcess: list.byProcess,
    differences: list.differences.map(withText),
    notes: list.notes.map(withText),
  };
}

function withText(difference: Difference): ReportedDifference {
  return { ...difference, text: describeDifference(difference) };
}

/** Options for rendering a list. */
export interface DifferenceView {
  /** Whether to show a process's later differences, too, and not only its first divergence. */
  readonly all: boolean;
  /** How the user shows all of them, such as an option. */
  readonly toShowAll: string;
  /** How the user keeps more of them. */
  readonly toKeepMore: string;
  /** Stands before a suggested mask, such as an option. */
  readonly toMask: string;
  /** @default plain */
  readonly paint?: Paint | undefined;
}

/** Options for rendering one difference. */
export interface OneDifferenceView {
  readonly toMask?: string | undefined;
  readonly paint?: Paint | undefined;
  /** Whether its process has other differences. */
  readonly hasOthers?: boolean;
}

/**
 * Renders the list for people. Empty if there is nothing to report; else every line ends in a
 * newline.
 */
export function renderDifferences(list: DifferenceList, view: DifferenceView): string {
  const { differences, notes, count, byProcess } = list;
  const { bad } = view.paint ?? plain;
  const lines: string[] = [];
  if (count > 0) lines.push(bad(`${plural(count, "difference")}: ${tally(byProcess)}`));
  for (const process of new Set(differences.map((one) => one.process)))
    lines.push(...renderProcess(differences, process, view));
  const left = count - differences.length;
  if (left > 0) lines.push("", `and ${left} more (${view.toKeepMore} shows more)`);
  if (notes.length > 0 && count > 0) lines.push("");
  lines.push(...notes.map((note) => `note: ${describeDifference(note)}`));
  return lines.map((line) => `${line}\n`).join("");
}

/** Renders a process's differences. The first one usually explains the later ones. */
function renderProcess(
  differences: readonly Difference[],
  process: string,
  view: DifferenceView,
): string[] {
  const own = differences.filter((one) => one.process === process);
  const shown = view.all ? own : own.slice(0, 1);
  const hasOthers = own.length > 1;
  const folded = own.length - shown.length;
  const lines = shown.flatMap((one) => ["", ...renderDifference(one, { ...view, hasOthers })]);
  if (folded > 0)
    lines.push("", `${process}: ${plural(folded, "consequence")} (${view.toShowAll} shows them)`);
  return lines;
}

/**
 * Renders one difference as lines: the sentence, the bytes, and other connections' progress. The
 * first difference of a process is marked if it has others.
 */
export function renderDifference(
  difference: Difference,
  { hasOthers = false, toMask, paint = plain }: OneDifferenceView = {},
): readonly string[] {
  const mark = hasOthers && difference.isFirst === true ? " (first divergence)" : "";
  return [
    `${paint.heading(describeDifference(difference))}${mark}`,
    ...waitOf(difference).map((line) => `  ${line}`),
    ...bytesOf(difference, paint).map((row) => `  ${row}`),
    ...shapeIn(difference, toMask).map((line) => `  ${line}`),
    ...(difference.meanwhile ?? []).map((line) => `  meanwhile ${line}`),
  ];
}

/** How long the replay waited for a missing event, and the rule that ended the wait. */
function waitOf(difference: Difference): readonly string[] {
  if (!("wait" in difference) || difference.wait === undefined) return [];
  const { rule, waitedMs, recordedMs, patienceMs } = difference.wait;
  if (rule === "gone") return ["replay did not wait: the process was gone"];
  const [recorded, patience] = [formatDuration(recordedMs), formatDuration(patienceMs)];
  const waited = `replay waited for ${formatDuration(waitedMs)}`;
  return rule === "clock"
    ? [`${waited}: it was due ${recorded} after the start, and patience lasted ${patience} more`]
    : [`${waited}: it had taken ${recorded}, and patience lasted ${patience} more`];
}

/** Describes the difference in one sentence that begins with the process that caused it. */
export function describeDifference(difference: Difference): string {
  if (difference.kind === "command-end") return describeEnd(difference);
  if (difference.kind === "unexpected-connection") {
    const { process, server, serverPort, isRecorded } = difference;
    const fate = isRecorded === true ? "" : "; it was refused";
    return `${process}: opened a connection to ${server}:${serverPort}; in the recording it had ${connectionsThere(difference)}${fate}`;
  }
  if (difference.kind === "dropped-datagrams") {
    const { process, datagrams } = difference;
    return `${process}: its kernel dropped ${plural(datagrams, "datagram")} because a socket's receive buffer was full`;
  }
  if (difference.kind === "moved-exchanges") {
    const { process, exchanges, server, serverPort } = difference;
    const were = exchanges === 1 ? "was" : "were";
    return `${process}: ${plural(exchanges, "exchange")} with ${server}:${serverPort} ${were} played on another connection than recorded, or in another order, as the process asked`;
  }
  return `${difference.process}: connection ${nameConnection(difference)}: ${sentenceOf(difference)}`;
}

type CommandEndDifference = Extract<Difference, { readonly kind: "command-end" }>;

function describeEnd({ process, recorded, now }: CommandEndDifference): string {
  const was = recorded.stopped ? "it ran until it was stopped" : `it ${endText(recorded)}`;
  const is = now.stopped ? "was still running when the replay was over" : endText(now);
  return `${process}: ${is}; in the recording ${was}`;
}

function endText(end: EndState): string {
  if (end.signal !== undefined) return `was ended by ${end.signal}`;
  const crash = crashOf(end);
  return `exited with ${end.exitCode}${crash === undefined ? "" : ` (${crash})`}`;
}

type UnexpectedConnection = Extract<Difference, { readonly kind: "unexpected-connection" }>;

/** Names the IP family if the other one matters, because many programs try both. */
function connectionsThere(difference: UnexpectedConnection): string {
  const { family, recordedConnections, otherFamilyConnections } = difference;
  const over = otherFamilyConnections === 0 ? "" : ` over IPv${family}`;
  if (recordedConnections > 0)
    return `${plural(recordedConnections, "connection")} there${over}, and no more`;
  if (over === "") return "no connection there";
  return `no connection there${over}, but ${otherFamilyConnections} over IPv${family === 4 ? 6 : 4}`;
}

type StreamDifference = Exclude<
  Difference,
  {
    readonly kind:
      | "unexpected-connection"
      | "command-end"
      | "moved-exchanges"
      | "dropped-datagrams";
  }
>;

function nameConnection({
  connection,
  client,
  clientPort,
  server,
  serverPort,
}: StreamName): string {
  return `${connection} (${client}:${clientPort} \u2192 ${server}:${serverPort})`;
}

function sentenceOf(difference: StreamDifference): string {
  const peer = difference.direction === "to server" ? difference.server : difference.client;
  switch (difference.kind) {
    case "bytes":
      return difference.unit === undefined
        ? `sent other bytes to ${peer} from byte ${difference.offset} on`
        : `sent something else to ${peer} in ${difference.unit} (byte ${difference.offset})`;
    case "extra-bytes":
      if (difference.unit !== undefined)
        return `sent more to ${peer} than was recorded in ${difference.unit}`;
      return `went on sending to ${peer} after all ${plural(difference.offset, "byte")} that were recorded`;
    case "missing-bytes":
      return `had sent ${howFar(difference)} to ${peer} when patience ended${lackIn(difference)}`;
    case "early-end":
      return `ended what it sends to ${peer} after ${howFar(difference)}${lackIn(difference)}`;
    case "unexpected-end":
      return `ended what it sends to ${peer} after ${plural(difference.offset, "byte")}, while the recording goes on`;
    case "unexpected-reset":
      return `reset the connection after it had sent ${howFar(difference)} to ${peer}; in the recording it did not then${lackIn(difference)}`;
    case "missing-end":
      return `did not end what it sends to ${peer} after ${plural(difference.offset, "byte")}, as it had`;
    case "missing-reset":
      return `did not reset the connection after ${plural(difference.offset, "byte")}, as it had`;
    case "missing-connection":
      return "was never opened";
    case "no-answer":
      return "neither accepted nor refused it";
    case "refused-instead":
      return "refused it; in the recording it did not";
    case "accepted-instead":
      return "accepted it; in the recording it did not";
    case "stuck":
      return `took ${howFar(difference)} from ${peer} when patience ended`;
    case "beyond-cut":
      return `went on sending to ${peer} after the ${plural(difference.offset, "byte")} at which ${peer} had cut it off`;
    case "ambiguous-match":
      return `may as well be ${difference.candidates.filter((one) => one !== difference.connection).join(", ")}: their first bytes did not tell`;
    default:
      return unreachable(difference);
  }
}

function lackIn({ unit }: { readonly unit?: string }): string {
  return unit === undefined ? "" : `; ${unit} is missing`;
}

function howFar({ offset, expectedBytes }: { offset: number; expectedBytes: number }): string {
  return `${offset} of ${plural(expectedBytes, "byte")}`;
}

function shapeIn(difference: Difference, toMask: string | undefined): readonly string[] {
  if (difference.kind !== "bytes" || difference.shape === undefined) return [];
  const { name, mask } = difference.shape;
  return [`looks like ${name}: mask it with ${toMask === undefined ? "" : `${toMask} `}'${mask}'`];
}

function bytesOf(difference: Difference, paint: Paint): readonly string[] {
  if (difference.kind !== "bytes" && difference.kind !== "extra-bytes") return [];
  const { offset, before, live } = difference;
  const recorded = difference.kind === "bytes" ? difference.recorded : "";
  return sideBySide(offset, before, recorded, live, paint);
}

function tally(byProcess: Readonly<Record<string, number>>): string {
  return Object.entries(byProcess)
    .map(([process, count]) => `${process} ${count}`)
    .join(", ");
}
