/** Reads a dump that is still being recorded, as it grows. */
import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DumpDecoder, type DumpEnd, type DumpItem } from "../format/decoder.ts";
import { maxBlockBytes } from "../format/schema.ts";
import { isBeingRecorded } from "./destination.ts";
import { openForReading, readChunk } from "./reader.ts";

/** How often to look for more. A person does not notice it, and it costs nearly nothing. */
const lookMs = 50;

/**
 * Yields the items of the dump at `path` as they are written, and undefined when it has all that
 * there are so far. Returns once the recorder has ended, and how the dump ended. Items and errors
 * are those of {@link readDump}. A recorder only appends to its file.
 */
export async function* followDump(
  path: string,
): AsyncGenerator<DumpItem | undefined, DumpEnd, undefined> {
  const decoder = new DumpDecoder({ name: path });
  const chunk = new Uint8Array(maxBlockBytes);
  const fd = openForReading(path);
  try {
    for (let isRecorded = true; ;) {
      const lengthBytes = readChunk(path, fd, chunk);
      if (lengthBytes > 0) {
        decoder.push(chunk.subarray(0, lengthBytes));
        for (let item = decoder.next(); item !== undefined; item = decoder.next()) yield item;
        continue;
      }
      // What was written before the recorder ended is read once more.
      if (!isRecorded) return decoder.end();
      yield undefined;
      isRecorded = isBeingRecorded(path);
      if (isRecorded) await sleep(lookMs);
    }
  } finally {
    closeSync(fd);
  }
}
