/**
 * Lets a process's new threads get to work before the process stops waiting for them.
 *
 * Some programs hand a task to a new thread and look again a millisecond later. curl does so to
 * resolve a name. Whether the thread is done by then depends on the machine's load, and it decides
 * what curl allocates next, and so where OpenSSL's objects lie, whose addresses it mixes into its
 * random numbers. So plg holds back a short wait until each new thread of the process has slept
 * once. By then the thread is done, or waits for something itself.
 */
import { readdirSync } from "node:fs";
import type { NotificationListener } from "../sys/seccomp.ts";
import type { ThreadStates } from "./thread-states.ts";

/** A wait that has not begun. */
interface HeldWait {
  readonly id: bigint;
  /** The new threads that have not slept yet. */
  threads: readonly number[];
  readonly untilMs: number;
}

/** A thread that runs for this long computes, so nobody expects it to be done soon. */
const longestHoldMs = 250;
const reviewMs = 1;
const mostKnown = 4096;

export class NewThreads {
  readonly #states: ThreadStates;
  /** Threads for which no wait is held back: they have slept, or plg did not wait any longer. */
  readonly #known = new Set<number>();
  #held: readonly HeldWait[] = [];

  constructor(states: ThreadStates) {
    this.#states = states;
  }

  /** Handles the wait that `listener` has just received: it begins now, or is held back. */
  onShortWait(listener: NotificationListener): void {
    const threads = this.#newThreadsBeside(listener.tid);
    if (threads.length === 0) return listener.letPass();
    const untilMs = performance.now() + longestHoldMs;
    this.#held = [...this.#held, { id: listener.id, threads, untilMs }];
  }

  /** Begins the waits whose time has come. Returns how soon to review the rest, if any. */
  review(listener: NotificationListener): number | undefined {
    if (this.#held.length === 0) return undefined;
    const nowMs = performance.now();
    this.#held = this.#held.filter((wait) => {
      const isLate = nowMs >= wait.untilMs;
      wait.threads = wait.threads.filter((tid) => !isLate && this.#states.works(tid));
      if (wait.threads.length > 0) return true;
      listener.letHeldPass(wait.id);
      return false;
    });
    return reviewMs;
  }

  #newThreadsBeside(tid: number): number[] {
    const others = threadsOf(tid).filter((other) => other !== tid && !this.#known.has(other));
    // The kernel reuses numbers. A thread that counts as known merely has no wait held back.
    if (this.#known.size > mostKnown) this.#known.clear();
    for (const other of others) this.#known.add(other);
    return others.filter((other) => this.#states.works(other));
  }
}

/** The threads of this thread's process; empty if it has ended. */
function threadsOf(tid: number): number[] {
  try {
    return readdirSync(`/proc/${tid}/task`).map(Number);
  } catch {
    return [];
  }
}
