/** Where a replay differed from the recording, for people and for programs. */
import { unreachable } from "../base/assert.ts";
import { plural } from "../base/text.ts";
import type { Difference, DifferenceList, StreamName } from "../replay/findings/differences.ts";
import { sideBySide } from "./side-by-side.ts";

/** A difference as `--json` has it: with a sentence that says what it is. */
type ReportedDifference = Difference & { readonly text: string };

/** The list as `--json` prints it. */
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

/** All of it for people. Empty if there is nothing to say; else every line ends in a newline. */
export function renderDifferences(list: DifferenceList): string {
  const { differences, notes, count, byProcess } = list;
  const lines = differences.flatMap((difference) => ["", ...renderDifference(difference)]);
  if (count > 0) lines.unshift(`${plural(count, "difference")}: ${tally(byProcess)}`);
  if (count > differences.length)
    lines.push("", `and ${count - differences.length} more (--max-differences shows more)`);
  if (notes.length > 0) lines.push("", ...notes.map((note) => `note: ${describeDifference(note)}`));
  if (count === 0) lines.shift();
  return lines.map((line) => `${line}\n`).join("");
}

/** One difference for people, as lines: the sentence, the bytes, and what else was going on. */
export function renderDifference(difference: Difference): readonly string[] {
  return [
    describeDifference(difference),
    ...bytesOf(difference).map((row) => `  ${row}`),
    ...(difference.meanwhile ?? []).map((line) => `  meanwhile ${line}`),
  ];
}

/** The difference in one sentence, which begins with the process that made it. */
export function describeDifference(difference: Difference): string {
  if (difference.kind === "unexpected-connection") {
    const { process, server, serverPort } = difference;
    return `${process}: opened a connection to ${server}:${serverPort}; in the recording it had ${connectionsThere(difference)}; it was refused`;
  }
  return `${difference.process}: connection ${nameConnection(difference)}: ${sentenceOf(difference)}`;
}

type UnexpectedConnection = Extract<Difference, { readonly kind: "unexpected-connection" }>;

/** The IP family is named where the other one makes the difference: many programs try both. */
function connectionsThere(difference: UnexpectedConnection): string {
  const { family, recordedConnections, otherFamilyConnections } = difference;
  const over = otherFamilyConnections === 0 ? "" : ` over IPv${family}`;
  if (recordedConnections > 0)
    return `${plural(recordedConnections, "connection")} there${over}, and no more`;
  if (over === "") return "no connection there";
  return `no connection there${over}, but ${otherFamilyConnections} over IPv${family === 4 ? 6 : 4}`;
}

type StreamDifference = Exclude<Difference, { readonly kind: "unexpected-connection" }>;

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
      return `sent other bytes to ${peer} from byte ${difference.offset} on`;
    case "extra-bytes":
      return `went on sending to ${peer} after all ${plural(difference.offset, "byte")} that were recorded`;
    case "missing-bytes":
      return `had sent ${howFar(difference)} to ${peer} when patience ended`;
    case "early-end":
      return `ended what it sends to ${peer} after ${howFar(difference)}`;
    case "unexpected-end":
      return `ended what it sends to ${peer} after ${plural(difference.offset, "byte")}, while the recording goes on`;
    case "unexpected-reset":
      return `reset the connection after it had sent ${howFar(difference)} to ${peer}; in the recording it did not then`;
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

function howFar({ offset, expectedBytes }: { offset: number; expectedBytes: number }): string {
  return `${offset} of ${plural(expectedBytes, "byte")}`;
}

function bytesOf(difference: Difference): readonly string[] {
  if (difference.kind === "bytes")
    return sideBySide(difference.offset, difference.before, difference.recorded, difference.live);
  if (difference.kind === "extra-bytes")
    return sideBySide(difference.offset, difference.before, "", difference.live);
  return [];
}

function tally(byProcess: Readonly<Record<string, number>>): string {
  return Object.entries(byProcess)
    .map(([process, count]) => `${process} ${count}`)
    .join(", ");
}
