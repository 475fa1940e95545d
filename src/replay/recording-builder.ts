/**
 * Builds the index of a recording from the decoder's items, in one pass and in bounded memory: 33 bytes
 * an event, and what the openings of connections take.
 */
import type { DumpItem } from "../dump/decoder.ts";
import type { RecordingStore } from "./recording.ts";

export class RecordingBuilder {
  /** Takes the decoder's next item; its bytes are copied if they are kept. The first is the run. */
  add(_item: DumpItem): void {}

  /** After the last item. The builder is used up. */
  finish(): RecordingStore {
    throw new Error("not yet");
  }
}
