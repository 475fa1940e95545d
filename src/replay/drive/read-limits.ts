/**
 * How long a delivery waits for a process to read what it was sent before. A process that leaves a
 * connection unread has its reasons (a log that it reads at the end), and would be waited for again with
 * each write. So each wait in vain halves the limit for that connection, and each success doubles it.
 */

/** Covers a process that is not scheduled for a while. */
const mostMs = 50;
/** A wait that is shorter than this is none. */
const leastMs = 1;
const mostHalvings: number = Math.ceil(Math.log2(mostMs / leastMs));

export class ReadLimits<End extends object> {
  readonly #halvings = new WeakMap<End, number>();

  limitMs(end: End): number {
    const limitMs = mostMs / 2 ** this.#halvingsOf(end);
    return limitMs < leastMs ? 0 : limitMs;
  }

  /** All that was sent on this connection was read in time. */
  noteRead(end: End): void {
    const halvings = this.#halvingsOf(end);
    if (halvings > 0) this.#halvings.set(end, halvings - 1);
  }

  /** It was not read within the limit. */
  noteUnread(end: End): void {
    this.#halvings.set(end, Math.min(mostHalvings, this.#halvingsOf(end) + 1));
  }

  #halvingsOf(end: End): number {
    return this.#halvings.get(end) ?? 0;
  }
}
