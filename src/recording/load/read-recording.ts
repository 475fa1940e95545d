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

/** How often reading a dump yields to other tasks and reports its progress. */
const pauseEveryMs = 100;
/** The number of items between two looks at the clock. */
const itemsPerLook = 64;

/**
 * Reads a dump from beginning to end. This takes a while for a large one, so `onRead` receives the
 * number of bytes read every `everyMs`. Throws a DumpError if the file is not a dump, or damaged.
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
