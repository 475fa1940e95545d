/**
 * Looks whether masks cover the point where what is live parts from what was recorded.
 *
 * Up to that point both are the same, so a match that reaches it begins at the same place in both; where
 * it ends in either, comparing goes on. That is why masked bytes may differ in length. What a match
 * needs of what comes after the point may not have come yet: then it is to be looked at again.
 */
import { latin1 } from "../../base/latin1.ts";
import { type Covering, matchCovering } from "./masks.ts";
import type { RecordedBytes } from "../../recording/recorded-stream.ts";

/** How much of what came before a pattern gets to see. */
export const maskReachBytes = 4096;
/** How much of what comes after the point, at first and at most. */
const ahead = { firstBytes: 512, mostBytes: 0x8000 } as const;
/** How much more than the recorded match has to be there before a live one is no longer hoped for. */
const hopeBytes = 256;

/**
 * What was found. `covered`: so many bytes of either are masked. `open`: more must come before it is known.
 * `bare`: no mask covers the point.
 */
export type MaskFinding =
  | { readonly type: "covered"; readonly recordedBytes: number; readonly liveBytes: number }
  | { readonly type: "open"; readonly recordedBytes: number }
  | { readonly type: "bare" };

const bare: MaskFinding = { type: "bare" };

/** What is live around the point: what came just before, and what has come from there on. */
export interface LivePoint {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Nothing more will come. */
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

/** A mask that covers the point counts before one that may cover it yet, and a longer one before a shorter. */
function isBetter(one: MaskFinding, best: MaskFinding): boolean {
  if (one.type === "bare") return false;
  if (one.type !== best.type) return one.type === "covered" || best.type === "bare";
  return one.recordedBytes > best.recordedBytes;
}

/** By the match that covers the point in what was recorded, and in what is live. */
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
 * The recorded match that covers `offset`. What came before it is taken from what is live: it is the same
 * but for masked parts, and those count as the same.
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
