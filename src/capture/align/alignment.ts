/**
 * Aligns several captures: one clock, and one set of sequence numbers. The first capture is the
 * reference. Others are reached through captures that share connections, by the narrowest bounds
 * first.
 */
import { distance } from "../track/sequence.ts";
import { addBounds, type ClockBounds, sharedConnections, type SharedConnection } from "./bounds.ts";
import { type ClockFit, fitClock } from "./clock-fit.ts";
import type { ConnectionTimeline, Timeline } from "./timeline.ts";

/** Converts a capture's times to the reference's: `scale * t + shiftNs`. */
export interface ClockCorrection {
  readonly scale: number;
  readonly shiftNs: number;
}

/** The findings about a capture's clock. */
export interface CaptureClock {
  readonly correction: ClockCorrection;
  /**
   * The capture it was compared with; undefined for the reference, and if they share no connection.
   */
  readonly comparedWith: number | undefined;
  readonly fit: ClockFit | undefined;
  /** The number of bounds. */
  readonly bounds: number;
}

/** A connection whose sequence numbers differ between captures: the amounts to add, by side. */
export interface SequenceShift {
  readonly fromNs: number;
  readonly shifts: readonly [number, number];
  /**
   * Whether to leave it out: it is a proxy's failed attempt for a client that, in the other
   * capture, is still waiting.
   */
  readonly isLeftOut: boolean;
}

export interface Alignment {
  readonly clocks: readonly CaptureClock[];
  /** By capture, then by endpoints, in order of time. */
  readonly shifts: readonly ReadonlyMap<string, readonly SequenceShift[]>[];
}

const same: ClockCorrection = { scale: 1, shiftNs: 0 };

interface Link {
  readonly from: number;
  readonly to: number;
  readonly fit: ClockFit;
  readonly bounds: number;
}

export function align(timelines: readonly Timeline[]): Alignment {
  const clocks: (CaptureClock | undefined)[] = timelines.map(() => undefined);
  clocks[0] = { correction: same, comparedWith: undefined, fit: undefined, bounds: 0 };
  const links = allLinks(timelines);
  for (;;) {
    const link = links.find(
      ({ from, to }) => clocks[from] !== undefined && clocks[to] === undefined,
    );
    if (link === undefined) break;
    const { from, to, fit, bounds } = link;
    const correction = compose((clocks[from] as CaptureClock).correction, fit);
    clocks[to] = { correction, comparedWith: from, fit, bounds };
  }
  const unknown = { correction: same, comparedWith: undefined, fit: undefined, bounds: 0 };
  const known = clocks.map((clock) => clock ?? unknown);
  return { clocks: known, shifts: allShifts(timelines, known) };
}

/**
 * Links in both directions between all captures that share connections, the narrowest bounds first.
 */
function allLinks(timelines: readonly Timeline[]): Link[] {
  const links: Link[] = [];
  for (const [from, first] of timelines.entries())
    for (const [to, second] of timelines.entries()) {
      if (from === to) continue;
      const bounds: ClockBounds = { upper: [], lower: [] };
      for (const shared of sharedConnections(first, second)) addBounds(bounds, shared);
      const fit = fitClock(bounds.upper, bounds.lower);
      const count = bounds.upper.length + bounds.lower.length;
      if (fit !== undefined) links.push({ from, to, fit, bounds: count });
    }
  return links.toSorted((a, b) => Math.abs(a.fit.toleranceNs) - Math.abs(b.fit.toleranceNs));
}

/**
 * The second clock shows `t2 = t1 + offset + drift * t1`, so `t1 = (t2 - offset) / (1 + drift)`.
 */
function compose(outer: ClockCorrection, { offsetNs, drift }: ClockFit): ClockCorrection {
  const scale = 1 / (1 + drift);
  return {
    scale: outer.scale * scale,
    shiftNs: outer.shiftNs - outer.scale * scale * offsetNs,
  };
}

/** The reference's time at a clock's time `atNs`. */
export function corrected({ scale, shiftNs }: ClockCorrection, atNs: number): number {
  return Math.round(scale * atNs + shiftNs);
}

/** The first capture that saw a connection decides its numbers. */
function allShifts(
  timelines: readonly Timeline[],
  clocks: readonly CaptureClock[],
): Map<string, SequenceShift[]>[] {
  return timelines.map((timeline, index) => {
    const { correction } = clocks[index] as CaptureClock;
    const shifts = new Map<string, SequenceShift[]>();
    const taken = new Set<ConnectionTimeline>();
    for (const earlier of timelines.slice(0, index))
      for (const shared of sharedConnections(earlier, timeline)) {
        if (taken.has(shared.second)) continue;
        taken.add(shared.second);
        const list = shifts.get(shared.key) ?? [];
        list.push(shiftOf(shared, correction));
        shifts.set(shared.key, list);
      }
    for (const [key, list] of shifts) addVainAttempts(timeline, key, list, correction);
    dropNeedless(shifts);
    for (const list of shifts.values()) list.sort((a, b) => a.fromNs - b.fromNs);
    return shifts;
  });
}

function shiftOf({ first, second }: SharedConnection, correction: ClockCorrection): SequenceShift {
  const [a = 0, b = 0] = ([0, 1] as const).map((side) => {
    const [ours, theirs] = [first, second].map(({ halves }) => halves[side].initialSequence);
    return ours === undefined || theirs === undefined ? 0 : distance(ours, theirs);
  });
  return { fromNs: corrected(correction, second.startNs), shifts: [a, b], isLeftOut: false };
}

/**
 * Adds connections without data that only this capture saw, between the endpoints of a connection
 * that both saw: a proxy may be refused several times while a client waits.
 */
function addVainAttempts(
  timeline: Timeline,
  key: string,
  list: SequenceShift[],
  correction: ClockCorrection,
): void {
  const known = new Set(list.map(({ fromNs }) => fromNs));
  for (const { startNs, halves } of timeline.connections.get(key) ?? []) {
    const fromNs = corrected(correction, startNs);
    if (known.has(fromNs)) continue;
    const isEmpty = halves.every(({ position }) => position === 0);
    list.push({ fromNs, shifts: [0, 0], isLeftOut: isEmpty });
  }
}

/** Drops shifts of zero: most connections have the same numbers everywhere. */
function dropNeedless(shifts: Map<string, SequenceShift[]>): void {
  for (const [key, list] of shifts) {
    const isNeedless = list.every(
      ({ shifts: [a, b], isLeftOut }) => a === 0 && b === 0 && !isLeftOut,
    );
    if (isNeedless) shifts.delete(key);
  }
}
