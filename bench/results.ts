/** Collects the figures of the runs, and computes medians and ratios. Pure. */
import type { Figure, Unit } from "./measurement.ts";

/** One figure, round by round. */
export interface Row {
  readonly name: string;
  readonly unit: Unit;
  readonly direct: number[];
  readonly plg: number[];
  /** plg / direct of each round. */
  readonly ratios: number[];
  readonly dumpBytes: number[];
}

export interface Sample {
  readonly values: readonly number[];
  readonly dumpBytes?: number;
}

export function emptyRow({ name, unit }: Figure): Row {
  return { name, unit, direct: [], plg: [], ratios: [], dumpBytes: [] };
}

/** Adds one round of one measurement to its rows. */
export function addRound(rows: readonly Row[], direct: Sample, plg: Sample): void {
  for (const [i, row] of rows.entries()) {
    const [before = NaN, through = NaN] = [direct.values[i], plg.values[i]];
    row.direct.push(before);
    row.plg.push(through);
    row.ratios.push(through / before);
    if (plg.dumpBytes !== undefined) row.dumpBytes.push(plg.dumpBytes);
  }
}

/** NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function formatFigure(value: number, unit: Unit): string {
  if (unit === "Gb/s") return `${value.toFixed(2)} Gb/s`;
  return unit === "us" ? `${value.toFixed(0)} us` : `${Math.round(value).toLocaleString("en")}/s`;
}
