/** Reads a dump from its file into memory. */
import { setImmediate } from "node:timers/promises";
import type { DumpEnd } from "../../dump/format/decoder.ts";
import type { CommandExit } from "../../dump/format/schema.ts";
import { readDump } from "../../dump/store/reader.ts";
import { RecordingBuilder } from "../recording-builder.ts";
import { RecordingIndex, type RecordingStore } from "../recording.ts";

/** A dump that was read for replay: its index, and how its commands ended. */
export interface Recording {
  readonly path: string;
  readonly store: RecordingStore;
  readonly index: RecordingIndex;
  /** By container; undefined where the recording does not tell, as after a kill. */
  readonly exits: readonly (CommandExit | undefined)[];
  /** How the file ended. */
  readonly end: DumpEnd;
}

/** How often the reading of a dump lets others have their turn, and tells how far it is. */
const pauseEveryMs = 100;
/** How many items are read between two looks at the clock. */
const itemsPerLook = 64;

/**
 * Reads a dump once, from end to end, which takes a while for a large one: `onRead` is told again and again
 * how many bytes are behind. Throws a DumpError if it is not one, or damaged.
 */
export async function readRecording(
  path: string,
  onRead: (readBytes: number) => void = () => {},
  everyMs: number = pauseEveryMs,
): Promise<Recording> {
  const builder = new RecordingBuilder();
  const exits: (CommandExit | undefined)[] = [];
  const items = readDump(path);
  let pauseAtMs = performance.now() + everyMs;
  for (let count = 1; ; count++) {
    const step = items.next();
    if (step.done) {
      const store = builder.finish();
      const index = new RecordingIndex(store);
      const all = index.run.containers.map((_, container) => exits[container]);
      return { path, store, index, exits: all, end: step.value };
    }
    if (step.value.type === "exit") exits[step.value.container] = step.value.exit;
    builder.add(step.value);
    if (count % itemsPerLook !== 0 || performance.now() < pauseAtMs) continue;
    if ("position" in step.value) onRead(step.value.position);
    await setImmediate();
    pauseAtMs = performance.now() + everyMs;
  }
}
