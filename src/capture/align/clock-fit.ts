/**
 * Fits the difference between two clocks to bounds. If an event at the first clock must precede one
 * at the second, their times bound the difference from one side; the reverse order bounds it from
 * the other.
 */

/**
 * `second - first` is at most, or at least, `differenceNs` at the time `atNs` of the first clock.
 */
export interface Bound {
  readonly atNs: number;
  readonly differenceNs: number;
}

/** The second clock shows `offsetNs + drift * t` more than the first, when the first shows `t`. */
export interface ClockFit {
  readonly offsetNs: number;
  /** Per unit of time: 1e-6 is a microsecond per second. */
  readonly drift: number;
  /** The precision of the offset. Negative if the bounds contradict each other by this amount. */
  readonly toleranceNs: number;
}

/** The largest drift between clocks: crystals drift by at most about 100 parts per million. */
const largestDrift = 1e-3;
const drifts = 80;

/**
 * Finds the line below all `upper` and above all `lower` bounds that keeps the widest distance from
 * both; without drift if possible. Undefined if one side has no bound.
 */
export function fitClock(upper: readonly Bound[], lower: readonly Bound[]): ClockFit | undefined {
  if (upper.length === 0 || lower.length === 0) return undefined;
  const steady = widest(upper, lower, 0);
  if (steady.toleranceNs >= 0) return steady;
  // The width is a concave function of the drift: ternary search finds its maximum.
  let [low, high] = [-largestDrift, largestDrift];
  for (let step = 0; step < drifts; step++) {
    const third = (high - low) / 3;
    const [a, b] = [low + third, high - third];
    if (widest(upper, lower, a).toleranceNs < widest(upper, lower, b).toleranceNs) low = a;
    else high = b;
  }
  const drifting = widest(upper, lower, (low + high) / 2);
  return drifting.toleranceNs > steady.toleranceNs ? drifting : steady;
}

function widest(upper: readonly Bound[], lower: readonly Bound[], drift: number): ClockFit {
  let least = Infinity;
  let most = -Infinity;
  for (const { atNs, differenceNs } of upper) least = Math.min(least, differenceNs - drift * atNs);
  for (const { atNs, differenceNs } of lower) most = Math.max(most, differenceNs - drift * atNs);
  return { offsetNs: (least + most) / 2, drift, toleranceNs: (least - most) / 2 };
}
