/**
 * Overwrites secrets: every match of a pattern in a stream, also across record boundaries, and in
 * packets. Lengths do not change.
 */
import type { RecordedBytes } from "../recording/recorded-stream.ts";

/** A part of a stream. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The replacement of each byte: `X`. */
const filler = 0x58;
/** A long stream is searched in windows. The overlap limits the length of a match. */
const windowBytes = 4 << 20;
const overlapBytes = 1 << 16;

/**
 * The matches of the patterns (global, over the bytes as Latin-1), in order and without overlaps.
 */
export function matchesIn(stream: RecordedBytes, patterns: readonly RegExp[]): Range[] {
  const found: Range[] = [];
  for (let at = 0; at < stream.lengthBytes; at += windowBytes - overlapBytes) {
    at += stream.missingBytes(at);
    const text = latin1(stream.copy(at, at + windowBytes));
    for (const { from, to } of rangesIn(text, patterns))
      found.push({ from: at + from, to: at + to });
    if (at + windowBytes >= stream.lengthBytes) break;
  }
  return joined(found);
}

/** Overwrites the parts of `ranges` within `bytes`, which begin at `offset` of their stream. */
export function redact(bytes: Uint8Array, offset: number, ranges: readonly Range[]): void {
  for (const { from, to } of ranges) {
    if (to <= offset) continue;
    if (from >= offset + bytes.length) return;
    bytes.fill(filler, Math.max(0, from - offset), Math.min(bytes.length, to - offset));
  }
}

export function rangesIn(text: string, patterns: readonly RegExp[]): Range[] {
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      from: match.index,
      to: match.index + match[0].length,
    })),
  );
}

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to)
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else result.push(range);
  }
  return result;
}
