/** The writer thread's work without the thread: takes blocks off the ring, completes them, writes them. */
import { signal } from "../sys/wakeup.ts";
import { completeRecords, type RecordCounts } from "./checksums.ts";
import type { RecordMemory } from "./encoder.ts";
import { blockFrameBytes, paddingAfter, writePadding } from "./pcapng.ts";
import type { Ring } from "./ring.ts";
import { writeUnitBytes } from "./schema.ts";
import { sumIn, type SumRange } from "./vector-sum.ts";

/** What blocks are appended to: a file (file.ts), or memory in a test. */
export interface Appender {
  readonly lengthBytes: number;
  /** Takes whole write units; the caller leaves `bytes` alone and appends nothing else until it is done. */
  append(bytes: Uint8Array): Promise<void>;
}

export class BlockWriter {
  readonly #ring: Ring;
  readonly #file: Appender;
  readonly #counts: RecordCounts;
  readonly #sum: SumRange;

  /** `counts` has an element for each container, and grows with what is written. */
  constructor(ring: Ring, file: Appender, counts: RecordCounts) {
    this.#ring = ring;
    this.#file = file;
    this.#counts = counts;
    this.#sum = sumIn(ring.memory);
  }

  /**
   * Writes what is handed over until the ring is closed. While one block is being written (by a thread of
   * Node's pool) the next is completed, so that neither the sums nor the disk waits for the other. It
   * sleeps only when no write is under way, as that stops this thread's event loop. Throws the appender's error, and marks the ring as failed.
   */
  async run(): Promise<void> {
    try {
      let writing: Promise<void> | undefined;
      for (let next = this.#ring.freed; ;) {
        const bell = this.#ring.bell;
        const closing = this.#ring.closing;
        const idle = next === this.#ring.filled;
        const bytes = idle ? undefined : this.#complete(next);
        if (writing !== undefined) {
          await writing;
          this.#giveBack();
        }
        writing = bytes === undefined ? undefined : this.#file.append(bytes);
        if (bytes !== undefined) next = (next + 1) | 0;
        else if (closing) return;
        else this.#ring.sleep(bell);
      }
    } catch (error) {
      this.#ring.fail();
      throw error;
    }
  }

  /** Makes block number `block` ready to be written. */
  #complete(block: number): Uint8Array {
    const { bytes, view } = this.#ring.region;
    const start = this.#ring.startOf(block);
    const end = start + this.#ring.lengthOf(block);
    completeRecords(this.#ring.region, start, end, this.#counts, this.#sum);
    const padding = paddingAfter(end - start, writeUnitBytes);
    if (padding > 0) writePadding(bytes, view, end, padding);
    return bytes.subarray(start, end + padding);
  }

  #giveBack(): void {
    this.#ring.writtenBytes = this.#file.lengthBytes;
    const wakeup = this.#ring.giveBack();
    if (wakeup !== -1) signal(wakeup);
  }
}

/**
 * Appends blocks that are not records (the header, the trailer), packed into as few writes as `scratch`
 * allows: page-aligned memory, whole write units long. Each write ends in a padding block.
 */
export async function appendBlocks(
  file: Appender,
  blocks: readonly Uint8Array[],
  scratch: RecordMemory,
): Promise<void> {
  let used = 0;
  const flush = async (): Promise<void> => {
    const padding = paddingAfter(used, writeUnitBytes);
    if (padding > 0) writePadding(scratch.bytes, scratch.view, used, padding);
    await file.append(scratch.bytes.subarray(0, used + padding));
    used = 0;
  };
  for (const block of blocks) {
    if (used > 0 && used + block.length + blockFrameBytes > scratch.bytes.length) await flush();
    scratch.bytes.set(block, used);
    used += block.length;
  }
  if (used > 0) await flush();
}
