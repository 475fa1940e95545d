/**
 * The ring between the engine thread, which fills blocks with records, and the writer thread, which
 * writes them to the file. One producer, one consumer, no locks:
 *
 * - `filled` counts the blocks the producer has handed over, `freed` those the consumer has given
 *   back. Block number n lies in slot n mod N; the producer owns it while `filled` <= n < `freed` + N.
 * - Each side changes only its own counter, after it is done with the block's bytes. Atomics are
 *   sequentially consistent, so whoever sees the counter sees the bytes.
 * - The consumer sleeps on `bell`, which is rung after every change it must look at.
 * - A producer that finds no free block sets `starving` and looks once more; the consumer, having
 *   freed one, takes the flag and signals the producer's eventfd. In whatever order the two happen,
 *   either the producer sees the free block or the consumer sees the flag.
 *
 * The counters wrap at 2^32; only their difference is looked at.
 */
import { assert } from "../base/assert.ts";
import type { Fd } from "../base/units.ts";
import { type Region, regionIn } from "../sys/memory.ts";
import { maxBlockBytes, writeUnitBytes } from "./schema.ts";
import { createSummableMemory, type SummableMemory } from "./vector-sum.ts";

/** Large enough for a disk to be written at full speed, small enough to stay in a core's cache. */
const ringBlockBytes = maxBlockBytes;
/** 16 MiB: what a disk may stall (a journal commit, say) without the traffic feeling it, at 1 Gb/s 0.1 s. */
const ringBlocks = 16;

/** What the threads share: structured clone passes it over as it is. */
export interface RingStore {
  readonly memory: SummableMemory;
  readonly control: SharedArrayBuffer;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** The words of `control`; behind them the filled length of each slot. */
const Word = {
  filled: 0,
  freed: 1,
  bell: 2,
  starving: 3,
  wakeup: 4,
  closing: 5,
  failed: 6,
  pages: 7,
} as const;
const words = 8;

/** Makes an empty ring. */
export function createRing(
  blocks: number = ringBlocks,
  blockBytes: number = ringBlockBytes,
): RingStore {
  assert(blockBytes % writeUnitBytes === 0, "ring blocks are whole write units");
  const memory = createSummableMemory(blocks * blockBytes);
  const control = new SharedArrayBuffer(4 * (words + blocks));
  new Int32Array(control)[Word.wakeup] = -1;
  return { memory, control, blocks, blockBytes };
}

/** What both ends have: the memory, and the counters by name. */
export class Ring {
  /** The memory, whose first bytes are the region. */
  readonly memory: SummableMemory;
  readonly region: Region;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly #control: Int32Array;

  constructor(ring: RingStore) {
    this.memory = ring.memory;
    this.region = regionIn(ring.memory.buffer, ring.blocks * ring.blockBytes);
    assert(this.region.bytes.byteOffset === 0, "WebAssembly's memory begins on a page boundary");
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
    const block = this.filled;
    Atomics.store(this.#control, words + ((block >>> 0) % this.blocks), lengthBytes);
    Atomics.add(this.#control, Word.filled, 1);
    this.ring();
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

  /** Consumer: the filled length of block number `block`. */
  lengthOf(block: number): number {
    return Atomics.load(this.#control, words + ((block >>> 0) % this.blocks));
  }

  /** Consumer: gives the oldest block back. Returns the eventfd to signal if the producer waits for it, or -1. */
  giveBack(): Fd | -1 {
    Atomics.add(this.#control, Word.freed, 1);
    const starving = Atomics.exchange(this.#control, Word.starving, 0) === 1;
    return starving ? (Atomics.load(this.#control, Word.wakeup) as Fd | -1) : -1;
  }

  /** Anyone: makes the consumer look. */
  ring(): void {
    Atomics.add(this.#control, Word.bell, 1);
    Atomics.notify(this.#control, Word.bell);
  }

  /** Consumer: what to pass to {@link sleep}, taken before looking. */
  get bell(): number {
    return Atomics.load(this.#control, Word.bell);
  }

  /** Consumer: sleeps unless the bell has been rung since it read `seen`. */
  sleep(seen: number): void {
    Atomics.wait(this.#control, Word.bell, seen);
  }

  /** Main thread: nothing more will be handed over. */
  close(): void {
    Atomics.store(this.#control, Word.closing, 1);
    this.ring();
  }

  get closing(): boolean {
    return Atomics.load(this.#control, Word.closing) === 1;
  }

  /** Consumer: a write failed; no block will be given back any more. */
  fail(): void {
    Atomics.store(this.#control, Word.failed, 1);
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
