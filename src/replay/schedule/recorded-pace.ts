/**
 * Schedules deliveries by recorded gaps: all of them for `--speed`, divided by a factor, and pushes
 * to the connections of a loose pool.
 *
 * A loose pool has left the common order, and its answers wait for their questions only. But a
 * server may also send something unasked, long after its last answer: it ends an idle session, or
 * passes on a message. Such a push waits until the common order has passed it, or until as much
 * time has gone by as in the recording.
 */
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Cursor } from "./cursor.ts";
import { type Release, speedOf } from "./step.ts";

/** A delivery may be this late without delaying later ones. */
const catchUpMs = 50;
/** Bytes that follow others sooner than this belong to the same answer. */
const pushGapNs = 50e6;

export class RecordedPace {
  readonly #index: RecordingIndex;
  readonly #release: Release;
  /** Cursors that hold a push back. */
  readonly #pushing = new Set<Cursor>();

  constructor(index: RecordingIndex, release: Release) {
    this.#index = index;
    this.#release = release;
  }

  /** When the cursor's event is due; -Infinity for immediately. `main` is the common order's. */
  dueMs(cursor: Cursor, main: Cursor): number {
    const isPush = cursor.isLoose && !main.isPast(cursor.event) && this.#isPush(cursor);
    if (isPush) this.#pushing.add(cursor);
    else if (this.#release.type !== "speed") return -Infinity;
    const gapNs = Math.max(0, this.#index.deliveryNs(cursor.event) - cursor.clockNs);
    return cursor.clockMs + gapNs / 1e6 / speedOf(this.#release);
  }

  /** Notes the delivery of the cursor's event, which was due at `dueMs`. */
  keep(cursor: Cursor, dueMs: number, nowMs: number): void {
    this.#pushing.delete(cursor);
    cursor.clockMs = Math.max(dueMs, nowMs - catchUpMs);
  }

  /** Cursors whose pushes need not wait any longer, because `main` has passed them. */
  *takePassed(main: Cursor): Iterable<Cursor> {
    for (const cursor of this.#pushing) {
      if (cursor.state === "due" && !main.isPast(cursor.event)) continue;
      this.#pushing.delete(cursor);
      if (cursor.state === "due") yield cursor;
    }
  }

  /** Whether the event follows other bytes of the peer, and not at once. */
  #isPush({ at, event }: Cursor): boolean {
    const index = this.#index;
    const before = index.byConnection[at - 1];
    if (before === undefined || index.connection(before) !== index.connection(event)) return false;
    const isAnswer = index.kind(before) === RecordKind.data;
    const isSameSide = index.direction(before) === index.direction(event);
    return isAnswer && isSameSide && index.timeNs(event) - index.timeNs(before) > pushGapNs;
  }
}
