/**
 * Holds packets until they are due: a binary heap of slot numbers by time, in order of arrival for
 * equal times. The caller owns the slots' memory. Everything is preallocated.
 */
/** In place of a slot: none is free, or no packet is due. */
export const noSlot = -1;

export class HeldPackets {
  readonly capacity: number;
  /** By slot. */
  readonly #dueMs: Float64Array;
  readonly #turn: Float64Array;
  /** The first `count` are the heap, the rest are free. */
  readonly #slots: Int32Array;
  #count = 0;
  #turns = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#dueMs = new Float64Array(capacity);
    this.#turn = new Float64Array(capacity);
    this.#slots = Int32Array.from({ length: capacity }, (_, slot) => slot);
  }

  get count(): number {
    return this.#count;
  }

  /** The due time of the next packet; Infinity if none is held. */
  get nextDueMs(): number {
    return this.#count === 0 ? Infinity : (this.#dueMs[this.#slots[0] as number] as number);
  }

  /**
   * Holds a packet and returns its slot, valid until {@link take} returns it; {@link noSlot} if
   * none is free.
   */
  hold(dueMs: number): number {
    if (this.#count === this.capacity) return noSlot;
    const slot = this.#slots[this.#count] as number;
    this.#dueMs[slot] = dueMs;
    this.#turn[slot] = this.#turns++;
    this.#rise(this.#count++);
    return slot;
  }

  /**
   * Removes the next packet if it is due and returns its slot, valid until the next `hold`; else
   * {@link noSlot}.
   */
  take(nowMs: number): number {
    if (this.nextDueMs > nowMs) return noSlot;
    this.#swap(0, --this.#count);
    this.#sink();
    return this.#slots[this.#count] as number;
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= this.#count) return;
      const right = left + 1;
      const child = right < this.#count && this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#slots[a] as number;
    const second = this.#slots[b] as number;
    const apartMs = (this.#dueMs[first] as number) - (this.#dueMs[second] as number);
    return (
      apartMs < 0 ||
      (apartMs === 0 && (this.#turn[first] as number) < (this.#turn[second] as number))
    );
  }

  #swap(a: number, b: number): void {
    const slot = this.#slots[a] as number;
    this.#slots[a] = this.#slots[b] as number;
    this.#slots[b] = slot;
  }
}
