/**
 * The ring in which blocks of records go from thread to thread: the producer (the engine's thread) fills
 * them, the completer puts in the check sums, the writer writes them to the file. No locks:
 *
 * - `filled`, `completed` and `freed` count the blocks that each of the three is done with. Block number
 *   n lies in slot n mod N. It is the writer's while `freed` <= n < `completed`, the completer's while
 *   `completed` <= n < `filled`, and the producer's while `filled` <= n < `freed` + N.
 * - Each side changes only its own counter, after it is done with the block's bytes. Atomics are
 *   sequentially consistent, so whoever sees the counter sees the bytes.
 * - Completer and writer each sleep on a bell, which is rung after every change that they must look at.
 * - A producer that finds no free block sets `starving` and looks once more; the writer, having
 *   freed one, takes the flag and signals the producer's eventfd. In whatever order the two happen,
 *   either the producer sees the free block or the writer sees the flag.
 *
 * The counters wrap at 2^32; only their difference is looked at.
 */
import { assert } from "../../base/assert.ts";
import type { Fd } from "../../base/units.ts";
import { adviseHugePages, hugePageBytes, type Region, regionIn } from "../../sys/memory.ts";
import { writeUnitBytes } from "../format/schema.ts";
import { createSummableMemory, type SummableMemory } from "../format/vector-sum.ts";

/** Large enough for a disk to be written at full speed, in one piece of its memory. */
const ringBlockBytes = hugePageBytes;
/** 16 MiB: what a disk may stall (a journal commit, say) without the traffic feeling it, at 1 Gb/s 0.1 s. */
const ringBlocks = 8;

/** What the threads share: structured clone passes it over as it is. */
export interface RingStore {
  readonly memory: SummableMemory;
  readonly control: SharedArrayBuffer;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** The words of `control`; behind them the length of what is in each slot. */
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
type Bell = typeof Word.completerBell | typeof Word.writerBell;

/** Makes an empty ring. */
export function createRing(
  blocks: number = ringBlocks,
  blockBytes: number = ringBlockBytes,
): RingStore {
  assert(blockBytes % writeUnitBytes === 0, "ring blocks are whole write units");
  // The region begins at the first boundary of a huge page, which the memory itself need not do.
  const memory = createSummableMemory(blocks * blockBytes + hugePageBytes);
  adviseHugePages(regionOf(memory, blocks * blockBytes));
  const control = new SharedArrayBuffer(4 * (words + blocks));
  new Int32Array(control)[Word.wakeup] = -1;
  return { memory, control, blocks, blockBytes };
}

function regionOf(memory: SummableMemory, lengthBytes: number): Region {
  return regionIn(memory.buffer, lengthBytes, hugePageBytes);
}

/** What all three have: the memory, and the counters by name. */
export class Ring {
  /** The memory in which the region lies. */
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

  /** Where block number `block` begins within the region. */
  startOf(block: number): number {
    return ((block >>> 0) % this.blocks) * this.blockBytes;
  }

  get filled(): number {
    return Atomics.load(this.#control, Word.filled);
  }

  get freed(): number {
    return Atomics.load(this.#control, Word.freed);
  }

  /** How many blocks the producer may still hand over. */
  get free(): number {
    return this.blocks - ((this.filled - this.freed) | 0);
  }

  /** Producer: hands the current block over, of which `lengthBytes` are filled. */
  handOver(lengthBytes: number): void {
    this.#setLength(this.filled, lengthBytes);
    Atomics.add(this.#control, Word.filled, 1);
    this.#ring(Word.completerBell);
  }

  /** Producer: true when a block is free; if not, the wake-up will be signalled as soon as one is. */
  freeOrStarve(): boolean {
    if (this.free > 0) return true;
    Atomics.store(this.#control, Word.starving, 1);
    return this.free > 0;
  }

  /** Producer: names the eventfd to signal when it starves no longer. */
  set wakeup(fd: Fd) {
    Atomics.store(this.#control, Word.wakeup, fd);
  }

  /** Completer, writer: the length of what is in block number `block`. */
  lengthOf(block: number): number {
    return Atomics.load(this.#control, words + ((block >>> 0) % this.blocks));
  }

  #setLength(block: number, lengthBytes: number): void {
    Atomics.store(this.#control, words + ((block >>> 0) % this.blocks), lengthBytes);
  }

  /** Completer: sleeps until there is a block to complete. Returns its number, or undefined when none will come any more. */
  nextToComplete(): number | undefined {
    return this.#next(Word.completerBell, Word.completed, Word.filled, Word.closing);
  }

  /** Completer: hands the block on, of which `lengthBytes` are to be written. */
  complete(lengthBytes: number): void {
    this.#setLength(Atomics.load(this.#control, Word.completed), lengthBytes);
    Atomics.add(this.#control, Word.completed, 1);
    this.#ring(Word.writerBell);
  }

  /** Completer: nothing more will be handed on. */
  completeAll(): void {
    Atomics.store(this.#control, Word.allCompleted, 1);
    this.#ring(Word.writerBell);
  }

  /** Writer: sleeps until there is a block to write. Returns its number, or undefined when none will come any more. */
  nextToWrite(): number | undefined {
    return this.#next(Word.writerBell, Word.freed, Word.completed, Word.allCompleted);
  }

  /** Writer: gives the oldest block back. Returns the eventfd to signal if the producer waits for it, or -1. */
  giveBack(): Fd | -1 {
    Atomics.add(this.#control, Word.freed, 1);
    const starving = Atomics.exchange(this.#control, Word.starving, 0) === 1;
    return starving ? (Atomics.load(this.#control, Word.wakeup) as Fd | -1) : -1;
  }

  #ring(bell: Bell): void {
    Atomics.add(this.#control, bell, 1);
    Atomics.notify(this.#control, bell);
  }

  /** What comes after `done`, once `coming` is beyond it. What is read first is read again if the bell was rung since. */
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

  /** Main thread: nothing more will be handed over. */
  close(): void {
    Atomics.store(this.#control, Word.closing, 1);
    this.#ring(Word.completerBell);
  }

  /** Anyone: the file cannot be written any more. No block will be given back. */
  fail(): void {
    Atomics.store(this.#control, Word.failed, 1);
    this.#ring(Word.completerBell);
    this.#ring(Word.writerBell);
  }

  get failed(): boolean {
    return Atomics.load(this.#control, Word.failed) === 1;
  }

  /** How much of the file is written: for a status line, from any thread. Good to 16 TiB. */
  get writtenBytes(): number {
    return (Atomics.load(this.#control, Word.pages) >>> 0) * writeUnitBytes;
  }

  set writtenBytes(bytes: number) {
    Atomics.store(this.#control, Word.pages, bytes / writeUnitBytes);
  }
}
