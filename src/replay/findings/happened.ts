/** Decides whether a recorded event happened again in a replay. It is pure. */
import { endOf, type EventNumber } from "../../base/ids.ts";
import { Direction, opposite } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { Done, type Progress } from "../progress/progress.ts";

/**
 * Whether `event` happened again: a live sender caused it, and a live receiver was there to see it.
 * An event after the recorder stopped a command counts as done, because a replay omits it.
 */
export function hasHappened(
  index: RecordingIndex,
  progress: Progress,
  live: ReadonlySet<number>,
  event: EventNumber,
): boolean {
  const kind = index.kind(event);
  if (kind === RecordKind.packet) return true;
  const [sender, receiver] = [index.sender(event), index.receiver(event)];
  const isDone =
    !live.has(sender) || index.wasStopped(sender, event) || hasDone(index, progress, event);
  const isSeen =
    !live.has(receiver) || index.wasStopped(receiver, event) || hasSeen(index, progress, event);
  return isDone && isSeen;
}

function hasDone(index: RecordingIndex, progress: Progress, event: EventNumber): boolean {
  const end = endOf(index.connection(event), index.direction(event));
  switch (index.kind(event)) {
    case RecordKind.connect:
      return progress.has(end, Done.connected);
    case RecordKind.accept:
    case RecordKind.refuse:
      return progress.has(end, Done.accepted | Done.refused);
    case RecordKind.data:
      return progress.sentBytes(end) >= index.streamOffset(event) + index.lengthBytes(event);
    default:
      return progress.has(end, Done.ended | Done.reset);
  }
}

function hasSeen(index: RecordingIndex, progress: Progress, event: EventNumber): boolean {
  const direction = index.direction(event);
  const end = endOf(index.connection(event), opposite(direction));
  if (index.kind(event) === RecordKind.data)
    return progress.receivedBytes(end) >= index.streamOffset(event) + index.lengthBytes(event);
  const isThere = direction === Direction.toServer ? Done.accepted | Done.refused : Done.connected;
  return progress.has(end, isThere);
}
