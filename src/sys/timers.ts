/** The reactor's timers: a binary heap by due time, cheap to add to, take from and cancel in. */

export interface Timer {
  /** The due time, in milliseconds of the caller's clock. */
  readonly dueMs: number;
  /** The action; undefined once it has run or was cancelled. */
  action: (() => void) | undefined;
}

export class Timers {
  readonly #heap: Timer[] = [];

  add(dueMs: number, action: () => void): Timer {
    const timer: Timer = { dueMs, action };
    this.#heap.push(timer);
    this.#siftUp(this.#heap.length - 1);
    return timer;
  }

  /** A cancelled timer stays in the heap, inert, until it is due. */
  cancel(timer: Timer): void {
    timer.action = undefined;
  }

  /** The due time of the next live timer, or undefined if there is none. */
  nextDueMs(): number | undefined {
    while (this.#heap[0] && !this.#heap[0].action) this.#removeFirst();
    return this.#heap[0]?.dueMs;
  }

  /**
   * Runs all timers due at `nowMs`. Timers that an action adds wait for the next call, even if due.
   */
  run(nowMs: number): void {
    const due: Timer[] = [];
    while (this.#heap[0] && this.#heap[0].dueMs <= nowMs) {
      due.push(this.#heap[0]);
      this.#removeFirst();
    }
    for (const timer of due) {
      const { action } = timer;
      timer.action = undefined;
      action?.();
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown(0);
  }

  #siftUp(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #siftDown(start: number): void {
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      const leftTimer = this.#heap[left];
      if (!leftTimer) return;
      const rightTimer = this.#heap[left + 1];
      const child = rightTimer && rightTimer.dueMs < leftTimer.dueMs ? left + 1 : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  /**
   * Swaps two entries if the timer at `a` is due before the one at `b`. Returns whether it swapped.
   */
  #swapIfBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (!first || !second || first.dueMs >= second.dueMs) return false;
    this.#heap[a] = second;
    this.#heap[b] = first;
    return true;
  }
}
