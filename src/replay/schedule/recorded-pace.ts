/**
 * Schedules deliveries by recorded gaps: all of them for `--speed`, divided by a factor, and slow
 * ones on the connections of a loose pool.
 *
 * A loose pool has left the common order, and its answers wait for their questions only. But some
 * take their time: the client gives up a query, or the server ends an idle session. Such a delivery
 * waits until the common order has passed it, or until as much time has gone by as in the
 * recording.
 */
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Cursor } from "./cursor.ts";
import { type Release, speedOf } from "./step.ts";

/** A delivery may be this late without delaying later ones. */
const catchUpMs = 50;
/**
 * A delivery that comes sooner than this after the previous event of its connection is not slow.
 */
const slowGapNs = 50e6;

export class RecordedPace {
  readonly #index: RecordingIndex;
  readonly #release: Release;
  /** Cursors that hold a slow delivery back. */
  readonly #slow = new Set<Cursor>();

  constructor(index: RecordingIndex, release: Release) {
    this.#index = index;
    this.#release = release;
  }

  /** When the cursor's event is due; -Infinity for immediately. `main` is the common order's. */
  dueMs(cursor: Cursor, main: Cursor): number {
    const isSlow = cursor.isLoose && !main.isPast(cursor.event) && this.#isSlow(cursor);
    if (isSlow) this.#slow.add(cursor);
    else if (this.#release.type !== "speed") return -Infinity;
    const gapNs = Math.max(0, this.#index.deliveryNs(cursor.event) - cursor.clockNs);
    return cursor.clockMs + gapNs / 1e6 / speedOf(this.#release);
  }

  /** Notes the delivery of the cursor's event, which was due at `dueMs`. */
  keep(cursor: Cursor, dueMs: number, nowMs: number): void {
    this.#slow.delete(cursor);
    cursor.clockMs = Math.max(dueMs, nowMs - catchUpMs);
  }

  /** Cursors whose deliveries need not wait any longer, because `main` has passed them. */
  *takePassed(main: Cursor): Iterable<Cursor> {
    for (const cursor of this.#slow) {
      if (cursor.state === "due" && !main.isPast(cursor.event)) continue;
      this.#slow.delete(cursor);
      if (cursor.state === "due") yield cursor;
    }
  }

  #isSlow({ at, event }: Cursor): boolean {
    const index = this.#index;
    const before = index.byConnection[at - 1];
    if (before === undefined || index.connection(before) !== index.connection(event)) return false;
    return index.timeNs(event) - index.timeNs(before) > slowGapNs;
  }
}
