/**
 * Tests whether bytes may be a piece of a recorded stream, masks included, and reports no
 * difference.
 */
import { lookAtMasks, maskReachBytes } from "./mask-point.ts";
import type { RecordedStream } from "../../recording/recorded-stream.ts";

/** A range of a recorded stream. */
export interface StreamRange {
  readonly stream: RecordedStream;
  readonly from: number;
  readonly to: number;
}

/** `no`: they differ. `part`: all bytes so far fit. `whole`: they fit, and are complete. */
export type Fit = "no" | "part" | "whole";

/** Compares `live` with the recorded bytes from `from` to `to`. */
export function fitOf(
  { stream, from, to }: StreamRange,
  live: Uint8Array,
  patterns: readonly RegExp[],
): Fit {
  let offset = from;
  for (let at = 0; at < live.length;) {
    const recorded = stream.piece(offset, Math.min(live.length - at, to - offset));
    const same = countSame(recorded, live, at);
    at += same;
    offset += same;
    if (same > 0 && same === recorded.length) continue;
    if (patterns.length === 0) return "no";
    const before = live.subarray(Math.max(0, at - maskReachBytes), at);
    const point = { before, after: live.subarray(at), isLast: false };
    const finding = lookAtMasks(patterns, stream, offset, point);
    if (finding.type === "bare") return "no";
    if (finding.type === "open") return offset + finding.recordedBytes >= to ? "whole" : "part";
    at += finding.liveBytes;
    offset = Math.min(to, offset + finding.recordedBytes);
  }
  return offset >= to ? "whole" : "part";
}

function countSame(recorded: Uint8Array, live: Uint8Array, at: number): number {
  let same = 0;
  while (same < recorded.length && recorded[same] === live[at + same]) same++;
  return same;
}
