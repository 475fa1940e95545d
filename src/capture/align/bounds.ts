/** Compares the timelines of two captures and collects bounds on the difference of their clocks. */
import type { Bound } from "./clock-fit.ts";
import type { ConnectionTimeline, HalfTimeline, Timeline } from "./timeline.ts";

export interface ClockBounds {
  readonly upper: Bound[];
  readonly lower: Bound[];
}

/** One connection in two captures. */
export interface SharedConnection {
  readonly key: string;
  readonly first: ConnectionTimeline;
  readonly second: ConnectionTimeline;
}

/**
 * The connections that both captures saw: with the same endpoints and numbers, or in the same
 * order, counted from the last one. (A proxy may try again and again before it lets a client in.)
 */
export function sharedConnections(first: Timeline, second: Timeline): SharedConnection[] {
  const shared: SharedConnection[] = [];
  for (const [key, ours] of first.connections) {
    const theirs = second.connections.get(key) ?? [];
    for (const [index, one] of ours.entries()) {
      const same = theirs.find((other) => haveSameNumbers(one, other));
      const other = same ?? theirs[theirs.length - ours.length + index];
      if (other !== undefined) shared.push({ key, first: one, second: other });
    }
  }
  return shared;
}

function haveSameNumbers(a: ConnectionTimeline, b: ConnectionTimeline): boolean {
  return [0, 1].some((side) => {
    const number = a.halves[side as 0 | 1].initialSequence;
    return number !== undefined && number === b.halves[side as 0 | 1].initialSequence;
  });
}

/** Adds the bounds from one connection. */
export function addBounds(bounds: ClockBounds, { first, second }: SharedConnection): void {
  const passages = ([0, 1] as const).map((side) =>
    passagesOf(first.halves[side], second.halves[side]),
  );
  const [forth = [], back = []] = passages;
  // Bytes from the first capture's side pass it first. The mean differences of the two directions
  // differ by the round trip, and so reveal that side.
  if (forth.length > 0 && back.length > 0) {
    const isNearSide0 = meanOf(forth) > meanOf(back);
    bounds.upper.push(...(isNearSide0 ? forth : back));
    bounds.lower.push(...(isNearSide0 ? back : forth));
  }
  // On either side of a proxy, acknowledgments on one side do not concern the other.
  if (!haveSameNumbers(first, second)) return;
  for (const side of [0, 1] as const) addCausality(bounds, first.halves[side], second.halves[side]);
}

/** The delays after which the second capture saw the same bytes as the first. */
function passagesOf(first: HalfTimeline, second: HalfTimeline): Bound[] {
  const { ends, timesNs } = second.sent;
  return ends.flatMap((end, i) => {
    const atNs = first.sent.timeOf(end);
    return atNs === undefined ? [] : [{ atNs, differenceNs: (timesNs[i] as number) - atNs }];
  });
}

/** An acknowledgment follows the bytes that it acknowledges, whichever captures saw them. */
function addCausality(bounds: ClockBounds, first: HalfTimeline, second: HalfTimeline): void {
  for (const [i, end] of first.sent.ends.entries()) {
    const ackNs = second.acknowledged.timeReaching(end);
    const atNs = first.sent.timesNs[i] as number;
    if (ackNs !== undefined) bounds.upper.push({ atNs, differenceNs: ackNs - atNs });
  }
  for (const [i, end] of second.sent.ends.entries()) {
    const ackNs = first.acknowledged.timeReaching(end);
    const sentNs = second.sent.timesNs[i] as number;
    if (ackNs !== undefined) bounds.lower.push({ atNs: ackNs, differenceNs: sentNs - ackNs });
  }
}

function meanOf(bounds: readonly Bound[]): number {
  return bounds.reduce((sum, { differenceNs }) => sum + differenceNs, 0) / bounds.length;
}
