/** The writer thread's work without the thread: takes blocks off the ring, completes them, writes them. */
import { crc32 } from "node:zlib";
import { signal } from "../sys/wakeup.ts";
import { completeRecords, type RecordCounts } from "./checksums.ts";
import type { DumpAppender } from "./file.ts";
import { blockFrameBytes, paddingAfter, writePadding } from "./pcapng.ts";
import type { Ring } from "./ring.ts";
import { writeUnitBytes } from "./schema.ts";

export class BlockWriter {
  readonly #ring: Ring;
  readonly #file: DumpAppender;
  readonly #counts: RecordCounts;

  /** `counts` has an element for each container, and grows with what is written. */
  constructor(ring: Ring, file: DumpAppender, counts: RecordCounts) {
    this.#ring = ring;
    this.#file = file;
    this.#counts = counts;
  }

  /** Writes every block that has been handed over. Throws the appender's error and marks the ring as failed. */
  drain(): void {
    for (let block = this.#ring.freed; block !== this.#ring.filled; block = this.#ring.freed) {
      this.#write(block);
      const wakeup = this.#ring.giveBack();
      if (wakeup !== -1) signal(wakeup);
    }
  }

  #write(block: number): void {
    const { bytes, view } = this.#ring.region;
    const start = this.#ring.startOf(block);
    const end = start + this.#ring.lengthOf(block);
    completeRecords(this.#ring.region, start, end, this.#counts, crc32);
    const padding = paddingAfter(end - start, writeUnitBytes);
    if (padding > 0) writePadding(bytes, view, end, padding);
    try {
      this.#file.append(bytes.subarray(start, end + padding));
    } catch (error) {
      this.#ring.fail();
      throw error;
    }
    this.#ring.writtenBytes = this.#file.lengthBytes;
  }
}

/**
 * Appends blocks that are not records (the header, the trailer), packed into as few writes as `scratch`
 * allows: page-aligned memory, whole write units long. Each write ends in a padding block.
 */
export function appendBlocks(
  file: DumpAppender,
  blocks: readonly Uint8Array[],
  scratch: { readonly bytes: Uint8Array; readonly view: DataView },
): void {
  let used = 0;
  const write = (): void => {
    const padding = paddingAfter(used, writeUnitBytes);
    if (padding > 0) writePadding(scratch.bytes, scratch.view, used, padding);
    file.append(scratch.bytes.subarray(0, used + padding));
    used = 0;
  };
  for (const block of blocks) {
    if (used > 0 && used + block.length + blockFrameBytes > scratch.bytes.length) write();
    scratch.bytes.set(block, used);
    used += block.length;
  }
  if (used > 0) write();
}
