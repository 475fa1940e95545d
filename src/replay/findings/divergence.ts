/**
 * Orders the differences of a replay as they happened, so that the cause precedes its consequences.
 * It is pure.
 *
 * The replay finds differences late. Missing bytes show when patience ends, and differing bytes are
 * collected before they are reported. So the recording determines the order. Each difference
 * belongs to a recorded event that its process did not repeat. The process's first divergence is
 * the difference with the earliest such event. Everything before that event went as recorded.
 */
import { Direction, opposite } from "../../base/direction.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Difference, DifferenceList } from "./differences.ts";

/**
 * The recorded event that a difference belongs to: the event with its byte, else the last event
 * before that byte, else the connection's first. Undefined if the difference has no recorded
 * connection.
 */
export function eventOf(index: RecordingIndex, difference: Difference): number | undefined {
  if (!("connection" in difference)) return undefined;
  const { connections, byConnection } = index;
  const { connection } = difference;
  const events = byConnection.subarray(connections.from(connection), connections.to(connection));
  if (!("offset" in difference)) return events[0];
  const sent = difference.direction === "to server" ? Direction.toServer : Direction.toClient;
  // The process did not read this, so its peer sent it.
  const direction = difference.kind === "stuck" ? opposite(sent) : sent;
  return (
    events.findLast(
      (event) =>
        index.direction(event) === direction && index.streamOffset(event) <= difference.offset,
    ) ?? events[0]
  );
}

/**
 * Orders the differences by process, then by the recording, and marks the first of each process.
 */
export function orderDifferences(index: RecordingIndex, list: DifferenceList): DifferenceList {
  const differences = index.run.containers.flatMap(({ name }) =>
    orderOfProcess(
      index,
      list.differences.filter(({ process }) => process === name),
    ),
  );
  return { ...list, differences };
}

function orderOfProcess(index: RecordingIndex, found: readonly Difference[]): Difference[] {
  const ordered = found
    .map((difference) => ({ difference, at: positionOf(index, difference) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ difference }) => difference);
  const end = ordered.find(({ kind }) => kind === "command-end");
  const first = ordered[0];
  const causes = end !== undefined && first !== undefined && isCauseOf(end, first) ? [end] : [];
  const rest = ordered.filter((difference) => !causes.includes(difference));
  return [...causes, ...rest].map((difference, i) => ({ ...difference, isFirst: i === 0 }));
}

function positionOf(index: RecordingIndex, difference: Difference): number {
  if (difference.kind === "command-end") return Infinity;
  // Just before the event, which had not happened yet.
  if (difference.kind === "unexpected-connection") return difference.beforeEvent - 0.5;
  return eventOf(index, difference) ?? Infinity;
}

const lacks: ReadonlySet<Difference["kind"]> = new Set([
  "missing-bytes",
  "early-end",
  "unexpected-end",
  "unexpected-reset",
  "missing-end",
  "missing-reset",
  "missing-connection",
  "no-answer",
  "refused-instead",
  "stuck",
]);

/**
 * Whether the process's end explains its first difference: a process that has ended does nothing
 * more, and its kernel ends its connections.
 */
function isCauseOf(end: Difference, first: Difference): boolean {
  return end.kind === "command-end" && !end.now.stopped && lacks.has(first.kind);
}
