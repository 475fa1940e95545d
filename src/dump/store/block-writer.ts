/**
 * The writer thread's work, without the thread: takes completed blocks from the ring and writes
 * them.
 */
import { signal } from "../../sys/wakeup.ts";
import type { RecordMemory } from "../format/encoder.ts";
import { blockFrameBytes, padToUnit } from "../format/pcapng.ts";
import type { Ring } from "./ring.ts";
import { writeUnitBytes } from "../format/schema.ts";

/** The destination of blocks: a file (file.ts), or memory in a test. */
export interface Appender {
  readonly lengthBytes: number;
  /** Appends whole write units. The memory belongs to the caller again on return. */
  append(bytes: Uint8Array): void;
}

/**
 * Writes completed blocks until the ring is closed. The writes are synchronous: an asynchronous
 * writer would have to be woken before each write, and the disk would idle meanwhile. Throws the
 * appender's error, after marking the ring as failed.
 */
export function writeBlocks(ring: Ring, file: Appender): void {
  try {
    for (;;) {
      const block = ring.nextToWrite();
      if (block === undefined) return;
      const start = ring.startOf(block);
      file.append(ring.region.bytes.subarray(start, start + ring.lengthOf(block)));
      ring.writtenBytes = file.lengthBytes;
      const wakeup = ring.giveBack();
      if (wakeup !== undefined) signal(wakeup);
    }
  } catch (error) {
    ring.fail();
    throw error;
  }
}

/**
 * Appends blocks other than records (the header, the trailer) in as few writes as `scratch` allows,
 * which is page-aligned memory of whole write units. Each write ends with a padding block.
 */
export function appendBlocks(
  file: Appender,
  blocks: readonly Uint8Array[],
  scratch: RecordMemory,
): void {
  let used = 0;
  const flush = (): void => {
    file.append(scratch.bytes.subarray(0, padToUnit(scratch, 0, used, writeUnitBytes)));
    used = 0;
  };
  for (const block of blocks) {
    if (used > 0 && used + block.length + blockFrameBytes > scratch.bytes.length) flush();
    scratch.bytes.set(block, used);
    used += block.length;
  }
  if (used > 0) flush();
}
