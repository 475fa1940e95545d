/**
 * The part of a recording that concerns a live process: what it did, and what was done to it, in order.
 * That is all the causality there is: what a process did was caused by what had been done to it before.
 */
import { RecordKind } from "../dump/schema.ts";
import type { RecordingIndex } from "./recording.ts";

/** Containers whose commands run; the others are played from the recording. By index. */
export type LiveSet = ReadonlySet<number>;

/**
 * Whether the event happens between two containers of which one at least is live, so that it is part of
 * the replay. Packets between live processes pass as they are, and those to nobody in particular are
 * not sent again: neither is part of it.
 */
export function isReplayed(index: RecordingIndex, event: number, live: LiveSet): boolean {
  const sender = index.sender(event);
  const receiver = index.receiver(event);
  if (sender === receiver) return false;
  if (index.kind(event) !== RecordKind.packet) return live.has(sender) || live.has(receiver);
  return receiver >= 0 && live.has(sender) !== live.has(receiver);
}

/** The events by and to the live process `container`, in order. */
export function scriptOf(index: RecordingIndex, live: LiveSet, container: number): Uint32Array {
  return select(
    index,
    (event) =>
      (index.sender(event) === container || index.receiver(event) === container) &&
      isReplayed(index, event, live),
  );
}

/** The events of all live processes, in the order of the whole recording. */
export function globalScript(index: RecordingIndex, live: LiveSet): Uint32Array {
  return select(index, (event) => isReplayed(index, event, live));
}

/** Counted first, so that nothing is grown or copied. */
function select(index: RecordingIndex, wanted: (event: number) => boolean): Uint32Array {
  let count = 0;
  for (let event = 0; event < index.eventCount; event++) if (wanted(event)) count++;
  const events = new Uint32Array(count);
  for (let event = 0, at = 0; at < count; event++) if (wanted(event)) events[at++] = event;
  return events;
}
