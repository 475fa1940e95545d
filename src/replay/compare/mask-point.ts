/**
 * Tests whether a mask covers the point where live bytes differ from recorded ones.
 *
 * Both sides are the same up to that point, so a match that reaches it begins at the same place in
 * both. The comparison continues where the match ends in each, which is why masked bytes may differ
 * in length. If a match depends on bytes that have not come yet, the result is `open`: look again
 * later.
 */
import { latin1 } from "../../base/latin1.ts";
import { type Covering, matchCovering } from "./masks.ts";
import type { RecordedBytes } from "../../recording/recorded-stream.ts";

/** How many bytes before the point a pattern sees. */
export const maskReachBytes = 4096;
/** How many bytes after the point a pattern sees, at first and at most. */
const ahead = { firstBytes: 512, mostBytes: 0x8000 } as const;
/** How many bytes more than the recorded match may come before we stop expecting a live match. */
const hopeBytes = 256;

/**
 * The result.
 *
 * - `covered`: a mask covers this many bytes of either side.
 * - `open`: only more bytes can decide.
 * - `bare`: no mask covers the point.
 */
export type MaskFinding =
  | { readonly type: "covered"; readonly recordedBytes: number; readonly liveBytes: number }
  | { readonly type: "open"; readonly recordedBytes: number }
  | { readonly type: "bare" };

const bare: MaskFinding = { type: "bare" };

/** The live bytes just before the point, and those that have come after it. */
export interface LivePoint {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Whether no more bytes will come. */
  readonly isLast: boolean;
}

export function lookAtMasks(
  patterns: readonly RegExp[],
  recorded: RecordedBytes,
  offset: number,
  live: LivePoint,
): MaskFinding {
  const before = latin1(live.before);
  const after = latin1(live.after.subarray(0, ahead.mostBytes));
  let best: MaskFinding = bare;
  for (const pattern of patterns) {
    const there = recordedMatch(pattern, recorded, offset, before);
    if (there === undefined) continue;
    const finding = judge(there, matchCovering(pattern, before + after, before.length), live);
    if (isBetter(finding, best)) best = finding;
  }
  return best;
}

/**
 * Prefers a mask that covers the point to one that may yet cover it, and a longer match to a
 * shorter one.
 */
function isBetter(one: MaskFinding, best: MaskFinding): boolean {
  if (one.type === "bare") return false;
  if (one.type !== best.type) return one.type === "covered" || best.type === "bare";
  return one.recordedBytes > best.recordedBytes;
}

/** Compares the matches that cover the point in the recorded and in the live bytes. */
function judge(there: Covering, here: Covering | undefined, live: LivePoint): MaskFinding {
  const point = live.before.length;
  const recordedBytes = there.end - point;
  const mayGrow = !live.isLast && live.after.length < ahead.mostBytes;
  if (here?.start !== there.start) {
    const isHopeful = mayGrow && live.after.length < recordedBytes + hopeBytes;
    return isHopeful ? { type: "open", recordedBytes: 0 } : bare;
  }
  const liveBytes = here.end - point;
  if (liveBytes === live.after.length && mayGrow) return { type: "open", recordedBytes };
  return recordedBytes + liveBytes === 0 ? bare : { type: "covered", recordedBytes, liveBytes };
}

/**
 * The recorded match that covers `offset`. The text before it is the live one: it equals the
 * recorded text except in masked parts, which count as equal.
 */
function recordedMatch(
  pattern: RegExp,
  recorded: RecordedBytes,
  offset: number,
  before: string,
): Covering | undefined {
  for (let aheadBytes: number = ahead.firstBytes; ; aheadBytes *= 4) {
    const text = before + latin1(recorded.copy(offset, offset + aheadBytes));
    const match = matchCovering(pattern, text, before.length);
    const isWhole = offset + aheadBytes >= recorded.lengthBytes || aheadBytes >= ahead.mostBytes;
    if (isWhole || (match !== undefined && match.end < text.length)) return match;
  }
}
