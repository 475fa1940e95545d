/** What the main thread and the one that fuzzes share. */

/** An input that does what none should. */
export interface Finding {
  readonly kind: "broken" | "slow" | "hung" | "out of memory";
  readonly text: string;
  readonly input: Uint8Array;
}

export interface Assignment {
  /** Of the random numbers. */
  readonly seed: number;
  /** Dumps to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Float64 by {@link Counter}. */
  readonly counters: SharedArrayBuffer;
  /** The input that is being run. */
  readonly current: SharedArrayBuffer;
}

export const Counter = {
  inputs: 0,
  corpus: 1,
  parts: 2,
  outcomes: 3,
  lengthBytes: 4,
  size: 5,
} as const;

/** No input is longer: larger ones find nothing that smaller ones do not, and take longer. */
export const mostBytes = 1 << 16;
/**
 * A thousand times as long as most take; a busy machine may take ten times as long as an idle one.
 */
export const slowMs = 2000;
