/**
 * A lock-free ring that passes blocks of records between threads: the producer (the engine thread)
 * fills them, the completer adds the checksums, and the writer writes them to the file.
 *
 * - `filled`, `completed` and `freed` count the blocks that each of the three has finished. Block n
 *   is in slot n mod N. The writer owns it while `freed` <= n < `completed`, the completer while
 *   `completed` <= n < `filled`, and the producer while `filled` <= n < `freed` + N.
 * - Each side changes only its own counter, after it has finished with the block's bytes. Atomics
 *   are sequentially consistent, so a thread that sees the counter also sees the bytes.
 * - Completer and writer each sleep on a bell, a word that is incremented after every relevant
 *   change.
 * - A producer that finds no free block sets `starving` and checks once more. The writer, after
 *   freeing a block, takes the flag and signals the producer's eventfd. Whichever comes first,
 *   either the producer sees the free block or the writer sees the flag.
 *
 * The counters wrap at 2^32; only their differences matter.
 */
import { assert } from "../../base/assert.ts";
import type { Fd } from "../../base/units.ts";
import { adviseHugePages, hugePageBytes, type Region, regionIn } from "../../sys/memory.ts";
import { writeUnitBytes } from "../format/schema.ts";
import { createSummableMemory, type SummableMemory } from "../format/vector-sum.ts";

/** Large enough to write to a disk at full speed; one huge page. */
const ringBlockBytes = hugePageBytes;
/**
 * 16 MiB: traffic of 1 Gb/s does not notice a disk that stalls for 0.1 s, say for a journal commit.
 */
const ringBlocks = 8;

/** The memory that the threads share; structured clone passes it on. */
export interface RingStore {
  readonly memory: SummableMemory;
  readonly control: SharedArrayBuffer;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** The words of `control`, followed by the length of each slot's content. */
const Word = {
  filled: 0,
  completed: 1,
  freed: 2,
  completerBell: 3,
  writerBell: 4,
  starving: 5,
  wakeup: 6,
  closing: 7,
  allCompleted: 8,
  failed: 9,
  pages: 10,
} as const;
const words = 11;
/** In place of an eventfd: the producer has none yet. */
const noWakeup = -1;
type Bell = typeof Word.completerBell | typeof Word.writerBell;

/** Creates an empty ring. */
export function createRing(
  blocks: number = ringBlocks,
  blockBytes: number = ringBlockBytes,
): RingStore {
  assert(blockBytes % writeUnitBytes === 0, "ring blocks are whole write units");
  // The region begins at the first huge-page boundary within the store.
  const memory = createSummableMemory(blocks * blockBytes + hugePageBytes);
  adviseHugePages(regionOf(memory, blocks * blockBytes));
  const control = new SharedArrayBuffer(4 * (words + blocks));
  new Int32Array(control)[Word.wakeup] = noWakeup;
  return { memory, control, blocks, blockBytes };
}

function regionOf(memory: SummableMemory, lengthBytes: number): Region {
  return regionIn(memory.buffer, lengthBytes, hugePageBytes);
}

/** The part common to all sides: the memory, and the counters by name. */
export class Ring {
  /** The store that holds the region. */
  readonly memory: SummableMemory;
  readonly region: Region;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly #control: Int32Array;

  constructor(ring: RingStore) {
    this.memory = ring.memory;
    this.region = regionOf(ring.memory, ring.blocks * ring.blockBytes);
    this.blocks = ring.blocks;
    this.blockBytes = ring.blockBytes;
    this.#control = new Int32Array(ring.control);
  }

  /** The offset of block `block` in the region. */
  startOf(block: number): number {
    return ((block >>> 0) % this.blocks) * this.blockBytes;
  }

  get filled(): number {
    return Atomics.load(this.#control, Word.filled);
  }

  get freed(): number {
    return Atomics.load(this.#control, Word.freed);
  }

  /** The number of free blocks. */
  get free(): number {
    return this.blocks - ((this.filled - this.freed) | 0);
  }

  /** Producer: passes the current block on, filled with `lengthBytes`. */
  handOver(lengthBytes: number): void {
    this.#setLength(this.filled, lengthBytes);
    Atomics.add(this.#control, Word.filled, 1);
    this.#ring(Word.completerBell);
  }

  /** Producer: whether a block is free. If not, the eventfd is signaled as soon as one is. */
  freeOrStarve(): boolean {
    if (this.free > 0) return true;
    Atomics.store(this.#control, Word.starving, 1);
    return this.free > 0;
  }

  /** Producer: sets the eventfd to signal when a block becomes free. */
  set wakeup(fd: Fd) {
    Atomics.store(this.#control, Word.wakeup, fd);
  }

  /** Completer, writer: the content length of block `block`. */
  lengthOf(block: number): number {
    return Atomics.load(this.#control, words + ((block >>> 0) % this.blocks));
  }

  #setLength(block: number, lengthBytes: number): void {
    Atomics.store(this.#control, words + ((block >>> 0) % this.blocks), lengthBytes);
  }

  /**
   * Completer: sleeps until there is a block to complete. Returns its number, or undefined at the
   * end.
   */
  nextToComplete(): number | undefined {
    return this.#next(Word.completerBell, Word.completed, Word.filled, Word.closing);
  }

  /** Completer: passes the block on, with `lengthBytes` to write. */
  complete(lengthBytes: number): void {
    this.#setLength(Atomics.load(this.#control, Word.completed), lengthBytes);
    Atomics.add(this.#control, Word.completed, 1);
    this.#ring(Word.writerBell);
  }

  /** Completer: passes no more blocks. */
  completeAll(): void {
    Atomics.store(this.#control, Word.allCompleted, 1);
    this.#ring(Word.writerBell);
  }

  /**
   * Writer: sleeps until there is a block to write. Returns its number, or undefined at the end.
   */
  nextToWrite(): number | undefined {
    return this.#next(Word.writerBell, Word.freed, Word.completed, Word.allCompleted);
  }

  /** Writer: frees the oldest block. Returns the eventfd to signal if the producer waits. */
  giveBack(): Fd | undefined {
    Atomics.add(this.#control, Word.freed, 1);
    const starving = Atomics.exchange(this.#control, Word.starving, 0) === 1;
    const wakeup = Atomics.load(this.#control, Word.wakeup);
    return starving && wakeup !== noWakeup ? (wakeup as Fd) : undefined;
  }

  #ring(bell: Bell): void {
    Atomics.add(this.#control, bell, 1);
    Atomics.notify(this.#control, bell);
  }

  /**
   * Returns block `done` once `coming` has passed it. Reads the bell first: if it has been rung
   * since, it does not sleep but checks again.
   */
  #next(bell: Bell, done: number, coming: number, last: number): number | undefined {
    for (;;) {
      const seen = Atomics.load(this.#control, bell);
      if (this.failed) return undefined;
      const isLast = Atomics.load(this.#control, last) === 1;
      const block = Atomics.load(this.#control, done);
      if (block !== Atomics.load(this.#control, coming)) return block;
      if (isLast) return undefined;
      Atomics.wait(this.#control, bell, seen);
    }
  }

  /** Main thread: no more blocks will follow. */
  close(): void {
    Atomics.store(this.#control, Word.closing, 1);
    this.#ring(Word.completerBell);
  }

  /** Any thread: the file cannot be written any more, so no block will be freed. */
  fail(): void {
    Atomics.store(this.#control, Word.failed, 1);
    this.#ring(Word.completerBell);
    this.#ring(Word.writerBell);
  }

  get failed(): boolean {
    return Atomics.load(this.#control, Word.failed) === 1;
  }

  /** The number of bytes written, for a status line; from any thread. Valid up to 16 TiB. */
  get writtenBytes(): number {
    return (Atomics.load(this.#control, Word.pages) >>> 0) * writeUnitBytes;
  }

  set writtenBytes(bytes: number) {
    Atomics.store(this.#control, Word.pages, bytes / writeUnitBytes);
  }
}
