/**
 * Limits how long a delivery waits for a process to read the previous one. A process may leave a
 * connection unread for good reason, such as a log that it reads at the end, and would be awaited
 * with every write. So each wait in vain halves the limit for that connection, and each success
 * doubles it.
 *
 * A process that opens or accepts many connections of one kind leaves each unread for the same
 * reason. So a new connection's limit begins where the first waits of its kind have led.
 */

/** Covers a process that is not scheduled for a while. */
const mostMs = 50;
/** A shorter limit counts as zero. */
const leastMs = 1;
const mostHalvings: number = Math.ceil(Math.log2(mostMs / leastMs));

export class ReadLimits<End extends object> {
  readonly #kindOf: (end: End) => string;
  readonly #halvings = new WeakMap<End, number>();
  /** How often the limit of a new connection is halved, by kind. */
  readonly #firstHalvings = new Map<string, number>();

  /** `kindOf` names what `end` has in common with similar connections of the same process. */
  constructor(kindOf: (end: End) => string) {
    this.#kindOf = kindOf;
  }

  limitMs(end: End): number {
    const limitMs = mostMs / 2 ** this.#halvingsOf(end);
    return limitMs < leastMs ? 0 : limitMs;
  }

  /** The process read everything on this connection in time. */
  noteRead(end: End): void {
    this.#change(end, -1);
  }

  /** The process did not read within the limit. */
  noteUnread(end: End): void {
    this.#change(end, 1);
  }

  #change(end: End, by: 1 | -1): void {
    const halvings = within(this.#halvingsOf(end) + by);
    if (!this.#halvings.has(end)) this.#firstHalvings.set(this.#kindOf(end), halvings);
    this.#halvings.set(end, halvings);
  }

  #halvingsOf(end: End): number {
    return this.#halvings.get(end) ?? this.#firstHalvings.get(this.#kindOf(end)) ?? 0;
  }
}

function within(halvings: number): number {
  return Math.min(mostHalvings, Math.max(0, halvings));
}
