/**
 * The time of day of each live container in a replay. It starts at the recorded time of the
 * container's last event and advances with real time. At the recorded time of the next event it
 * pauses until that event happens, but not for long: a process that sleeps by this clock, such as
 * PostgreSQL in `pg_sleep`, may have to see it pass before it does what that event waits for.
 *
 * One thread writes the time and another reads it, in shared memory, with a sequence lock.
 */
import type { ContainerIndex } from "../../base/ids.ts";

/**
 * The layout: a Float64Array with these fields for each container, then an Int32Array with a change
 * count for each.
 */
const field = { recordedNs: 0, sinceNs: 1, limitNs: 2 } as const;
const fields = 3;
/** How long the clock pauses at most, in real time. */
const longestPauseNs = 1e9;
/** A write takes nanoseconds, unless the writer is descheduled in the middle. */
const mostTries = 1000;

/** Allocates the memory for this many containers. */
export function recordedTimeStore(containers: number): SharedArrayBuffer {
  const bytes = fields * Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT;
  return new SharedArrayBuffer(containers * bytes);
}

export class RecordedTime {
  readonly #values: Float64Array;
  /** Odd while a container's values are changing. */
  readonly #changes: Int32Array;

  constructor(store: SharedArrayBuffer) {
    const bytes = fields * Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT;
    const containers = store.byteLength / bytes;
    this.#values = new Float64Array(store, 0, fields * containers);
    this.#changes = new Int32Array(store, this.#values.byteLength, containers);
  }

  /**
   * Notes that a container reached an event at `sinceNs` of the monotonic clock. The event was
   * recorded at `recordedNs`, the container's next event at `limitNs`. Recorded times count from
   * the run's start.
   */
  reach(container: ContainerIndex, recordedNs: number, sinceNs: number, limitNs: number): void {
    // Events of several connections may arrive in another order; time does not go back.
    const reachedNs = Math.max(recordedNs, this.at(container, sinceNs));
    const at = fields * container;
    Atomics.add(this.#changes, container, 1);
    this.#values[at + field.recordedNs] = reachedNs;
    this.#values[at + field.sinceNs] = sinceNs;
    this.#values[at + field.limitNs] = Math.max(reachedNs, limitNs);
    Atomics.add(this.#changes, container, 1);
  }

  /** The recorded time, since the run's start, at `nowNs` of the monotonic clock. */
  at(container: ContainerIndex, nowNs: number): number {
    const at = fields * container;
    for (let tries = 0; ; tries++) {
      const before = Atomics.load(this.#changes, container);
      const recordedNs = this.#values[at + field.recordedNs] ?? 0;
      const sinceNs = this.#values[at + field.sinceNs] ?? 0;
      const limitNs = this.#values[at + field.limitNs] ?? 0;
      const isWhole = before % 2 === 0 && Atomics.load(this.#changes, container) === before;
      if (!isWhole && tries < mostTries) continue;
      // Before the first `reach` the clock stands still.
      const passedNs = sinceNs === 0 ? 0 : Math.max(0, nowNs - sinceNs);
      return paused(recordedNs + passedNs, limitNs);
    }
  }
}

/** The time that a clock shows which would show `timeNs` if it had not paused at `limitNs`. */
function paused(timeNs: number, limitNs: number): number {
  if (timeNs <= limitNs) return timeNs;
  return Math.max(limitNs, timeNs - longestPauseNs);
}
