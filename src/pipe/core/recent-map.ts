/**
 * A map that drops its oldest entries by itself: pure.
 *
 * It has two generations. New entries go to the younger one. Once that is full, the older
 * generation is dropped, except for entries that must stay, and the younger one takes its place.
 * Entries are never deleted one by one, which would make the runtime rebuild the map again and
 * again.
 */
export class RecentMap<Value> {
  readonly #leastKept: number;
  readonly #mustStay: (value: Value) => boolean;
  #younger = new Map<string, Value>();
  #older = new Map<string, Value>();
  /** The number of entries in the younger generation that were carried over from an older one. */
  #stayed = 0;

  /** Keeps at least the last `leastKept` entries, at most twice as many, and all that must stay. */
  constructor(leastKept: number, mustStay: (value: Value) => boolean) {
    this.#leastKept = leastKept;
    this.#mustStay = mustStay;
  }

  get(key: string): Value | undefined {
    return this.#younger.get(key) ?? this.#older.get(key);
  }

  set(key: string, value: Value): void {
    this.#younger.set(key, value);
    if (this.#younger.size >= this.#leastKept + this.#stayed) this.#age();
  }

  /** The remaining entries, in no order. */
  *values(): Generator<Value> {
    yield* this.#younger.values();
    for (const [key, value] of this.#older) if (!this.#younger.has(key)) yield value;
  }

  #age(): void {
    const next = new Map<string, Value>();
    for (const [key, value] of this.#older)
      if (!this.#younger.has(key) && this.#mustStay(value)) next.set(key, value);
    this.#older = this.#younger;
    this.#younger = next;
    this.#stayed = next.size;
  }
}
