/** Where in the recording a replay differed. */
import { Direction, opposite } from "../base/direction.ts";
import type { Difference, DifferenceList } from "../replay/findings/differences.ts";
import type { RecordingIndex } from "../recording/recording.ts";

/** What a page carries of a replay: the differences, and the start of the recording that was replayed. */
export interface CarriedDifferences {
  readonly startNs: string;
  readonly list: DifferenceList;
}

/**
 * The event at which a difference shows: the one that has its byte, the last before it if none has, or the
 * connection's first. None if the recording has nothing of the kind.
 */
export function eventOf(index: RecordingIndex, difference: Difference): number | undefined {
  if (difference.kind === "unexpected-connection") return undefined;
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
