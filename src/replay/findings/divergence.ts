/**
 * Puts the differences of a replay in the order in which they happened, so that the cause comes
 * before its consequences: pure.
 *
 * Differences are found late. Bytes that are missing show when patience ends, and bytes that differ
 * are collected before they are reported. So the order goes by the recording: each difference has an
 * event there that its process did not repeat, and the process's first divergence is the difference
 * with the earliest such event. What came before that event went as recorded.
 */
import { Direction, opposite } from "../../base/direction.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Difference, DifferenceList } from "./differences.ts";

/**
 * The recording's event at which a difference shows: the one that has its byte, the last before it
 * if none has, or the connection's first. Undefined if the recording has nothing of the kind.
 */
export function eventOf(index: RecordingIndex, difference: Difference): number | undefined {
  if (!("connection" in difference)) return undefined;
  const { connections, byConnection } = index;
  const { connection } = difference;
  const events = byConnection.subarray(connections.from(connection), connections.to(connection));
  if (!("offset" in difference)) return events[0];
  const sent = difference.direction === "to server" ? Direction.toServer : Direction.toClient;
  // What is stuck is what was sent to the process.
  const direction = difference.kind === "stuck" ? opposite(sent) : sent;
  return (
    events.findLast(
      (event) =>
        index.direction(event) === direction && index.streamOffset(event) <= difference.offset,
    ) ?? events[0]
  );
}

/** Process by process, in the order of the recording; the first of each process is marked. */
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

/** A process that ended does nothing more, and its kernel ends its connections. */
function isCauseOf(end: Difference, first: Difference): boolean {
  return end.kind === "command-end" && !end.now.stopped && lacks.has(first.kind);
}
