/** Timers of the reactor, in a binary heap by due time: cheap to add, to take, and to cancel. */

export interface Timer {
  /** When it is due, in milliseconds of the clock that the caller uses. */
  readonly dueMs: number;
  /** What to do then; undefined once it has been done or cancelled. */
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

  /** A cancelled timer stays in the heap, inert, until its time. */
  cancel(timer: Timer): void {
    timer.action = undefined;
  }

  /** When the next live timer is due, or undefined if there is none. */
  nextDueMs(): number | undefined {
    while (this.#heap[0] && !this.#heap[0].action) this.#removeFirst();
    return this.#heap[0]?.dueMs;
  }

  /** Performs what is due at `nowMs`. What an action adds waits for the next call, even if due at once. */
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

  /** Swaps two places if the timer at `a` is due before the one at `b`; says whether it did. */
  #swapIfBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (!first || !second || first.dueMs >= second.dueMs) return false;
    this.#heap[a] = second;
    this.#heap[b] = first;
    return true;
  }
}
