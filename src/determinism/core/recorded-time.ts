/**
 * The time of day of each live container in a replay: the recorded time of the last event that
 * happened to it, plus the real time since. At the recorded time of the next event the clock pauses
 * until that event has happened, but not for long: a process that sleeps by this clock, such as
 * PostgreSQL's `pg_sleep`, may have to see it pass before it does what the next event waits for.
 *
 * One thread writes the time, another reads it, in shared memory.
 */

/** A Float64Array of these for each container, then an Int32Array with a count for each. */
const field = { recordedNs: 0, sinceNs: 1, limitNs: 2 } as const;
const fields = 3;
/** How long the clock pauses at most, in real time. */
const longestPauseNs = 200e6;
/** The writer is done within nanoseconds, unless it was descheduled in the middle. */
const mostTries = 1000;

/** Makes the memory for so many containers. */
export function recordedTimeStore(containers: number): SharedArrayBuffer {
  const bytes = fields * Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT;
  return new SharedArrayBuffer(containers * bytes);
}

export class RecordedTime {
  readonly #values: Float64Array;
  /** Odd while a container's values are being changed. */
  readonly #changes: Int32Array;

  constructor(store: SharedArrayBuffer) {
    const bytes = fields * Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT;
    const containers = store.byteLength / bytes;
    this.#values = new Float64Array(store, 0, fields * containers);
    this.#changes = new Int32Array(store, this.#values.byteLength, containers);
  }

  /**
   * At `sinceNs` of the monotonic clock something happened to the container that was recorded at
   * `recordedNs`. The next thing was recorded at `limitNs`. Recorded times count from the run's start.
   */
  reach(container: number, recordedNs: number, sinceNs: number, limitNs: number): void {
    // Events of several connections may come in another order; time does not go back.
    const reachedNs = Math.max(recordedNs, this.at(container, sinceNs));
    const at = fields * container;
    Atomics.add(this.#changes, container, 1);
    this.#values[at + field.recordedNs] = reachedNs;
    this.#values[at + field.sinceNs] = sinceNs;
    this.#values[at + field.limitNs] = Math.max(reachedNs, limitNs);
    Atomics.add(this.#changes, container, 1);
  }

  /** The recorded time at `nowNs` of the monotonic clock, since the run's start. */
  at(container: number, nowNs: number): number {
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
