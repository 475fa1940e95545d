/**
 * A map that forgets the oldest by itself: pure. It has two generations. New entries go to the younger one,
 * and once that is full the older one is dropped, but for what must stay, and the younger takes its place.
 * So nothing is deleted one by one, which would have the map rebuilt all the time.
 */
export class RecentMap<Value> {
  readonly #leastKept: number;
  readonly #mustStay: (value: Value) => boolean;
  #younger = new Map<string, Value>();
  #older = new Map<string, Value>();
  /** How many entries of the younger generation have only come along from one before. */
  #stayed = 0;

  /** Keeps the last `leastKept` entries at least, up to twice as many, and those that must stay. */
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

  /** What is still known, in no order. */
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
