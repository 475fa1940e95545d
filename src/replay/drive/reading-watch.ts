/**
 * Notices that a process works through what it was sent. Megabytes may lie in the kernels' buffers when
 * everything was delivered: a slow reader is busy with them for a long time, and does not hang.
 */

/** A connection to a live process. */
export interface WatchedEnd {
  readonly isClosed: boolean;
  /** What the process has not read yet, in any buffer on the way. */
  unreadBytes(): number;
}

export class ReadingWatch<End extends WatchedEnd> {
  /** By what the process had not read when it was last looked at; Infinity if it was not yet. */
  readonly #unread = new Map<End, number>();

  /** Bytes were sent to the process on this connection. */
  noteSent(end: End): void {
    this.#unread.set(end, Infinity);
  }

  /** Whether anything was sent that may still be unread. */
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
