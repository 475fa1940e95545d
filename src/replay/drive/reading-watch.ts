/**
 * Notices that a process works through what it was sent. When everything is delivered, megabytes
 * may remain in kernel buffers. They keep a slow reader busy for a long time, but it does not hang.
 */

/** A connection to a live process. */
export interface WatchedEnd {
  readonly isClosed: boolean;
  /** The number of bytes that the process has not read yet, in all buffers on the way. */
  unreadBytes(): number;
}

export class ReadingWatch<End extends WatchedEnd> {
  /** Unread bytes at the last look; Infinity before the first look. */
  readonly #unread = new Map<End, number>();

  /** Bytes were sent to the process on this connection. */
  noteSent(end: End): void {
    this.#unread.set(end, Infinity);
  }

  /** Whether nothing is left to watch. */
  get isIdle(): boolean {
    return this.#unread.size === 0;
  }

  /** Whether the process has read anything since the last look. */
  hasRead(): boolean {
    let hasRead = false;
    for (const [end, before] of this.#unread) {
      const bytes = end.isClosed ? 0 : end.unreadBytes();
      if (bytes < before && before < Infinity) hasRead = true;
      if (bytes === 0) this.#unread.delete(end);
      else this.#unread.set(end, bytes);
    }
    return hasRead;
  }
}
