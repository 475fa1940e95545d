/**
 * Limits how long a delivery waits for a process to read the previous one. A process may leave a
 * connection unread for good reason, such as a log that it reads at the end, and would be awaited
 * with every write. So each wait in vain halves the limit for that connection, and each success
 * doubles it.
 */

/** Covers a process that is not scheduled for a while. */
const mostMs = 50;
/** A shorter limit counts as zero. */
const leastMs = 1;
const mostHalvings: number = Math.ceil(Math.log2(mostMs / leastMs));

export class ReadLimits<End extends object> {
  readonly #halvings = new WeakMap<End, number>();

  limitMs(end: End): number {
    const limitMs = mostMs / 2 ** this.#halvingsOf(end);
    return limitMs < leastMs ? 0 : limitMs;
  }

  /** The process read everything on this connection in time. */
  noteRead(end: End): void {
    const halvings = this.#halvingsOf(end);
    if (halvings > 0) this.#halvings.set(end, halvings - 1);
  }

  /** The process did not read within the limit. */
  noteUnread(end: End): void {
    this.#halvings.set(end, Math.min(mostHalvings, this.#halvingsOf(end) + 1));
  }

  #halvingsOf(end: End): number {
    return this.#halvings.get(end) ?? 0;
  }
}
