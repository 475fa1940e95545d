/** Schedules deliveries for `--speed`: the recorded gaps, divided by a factor. */
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Cursor } from "./cursor.ts";
import type { Release } from "./step.ts";

/** A delivery may be this late without delaying later ones. */
const catchUpMs = 50;

export class RecordedPace {
  readonly #index: RecordingIndex;
  readonly #release: Release;

  constructor(index: RecordingIndex, release: Release) {
    this.#index = index;
    this.#release = release;
  }

  /** When the cursor's event is due; -Infinity for immediately. */
  dueMs(cursor: Cursor): number {
    if (this.#release.type !== "speed") return -Infinity;
    const gapNs = Math.max(0, this.#index.deliveryNs(cursor.event) - cursor.clockNs);
    return cursor.clockMs + gapNs / 1e6 / this.#release.factor;
  }

  /** Notes the delivery of the cursor's event, which was due at `dueMs`. */
  keep(cursor: Cursor, dueMs: number, nowMs: number): void {
    cursor.clockMs = Math.max(dueMs, nowMs - catchUpMs);
  }
}
