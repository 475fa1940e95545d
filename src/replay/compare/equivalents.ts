/**
 * Explains a difference by bytes that stand for the same thing in the recording and in this run. It
 * is pure.
 */
import type { RecordedBytes } from "../../recording/recorded-stream.ts";

/** The length of the longest equivalent. */
export const equivalentReachBytes = 16;

export interface Equivalent {
  readonly recorded: Uint8Array;
  readonly live: Uint8Array;
  /** Called when both were found at the same place. */
  readonly confirm: () => void;
}

/** How many bytes of either side are explained from the differing point on. */
export interface Explained {
  readonly recordedBytes: number;
  readonly liveBytes: number;
}

/**
 * Finds an equivalent that covers the point where the recorded bytes from `offset` on differ from
 * `after`. `before` are the bytes before the point, which are the same in both.
 */
export function explain(
  equivalents: readonly Equivalent[],
  recorded: RecordedBytes,
  offset: number,
  { before, after }: { readonly before: Uint8Array; readonly after: Uint8Array },
): Explained | undefined {
  for (const { recorded: then, live: now, confirm } of equivalents) {
    const most = Math.min(before.length, then.length, now.length);
    for (let behind = 0; behind <= most; behind++) {
      if (behind === then.length || behind === now.length) continue;
      if (!isAt(recorded.copy(offset - behind, offset - behind + then.length), then)) continue;
      const tail = before.subarray(before.length - behind);
      if (!isAt(tail, now.subarray(0, behind))) continue;
      if (!isAt(after.subarray(0, now.length - behind), now.subarray(behind))) continue;
      confirm();
      return { recordedBytes: then.length - behind, liveBytes: now.length - behind };
    }
  }
  return undefined;
}

function isAt(bytes: Uint8Array, wanted: Uint8Array): boolean {
  return bytes.length === wanted.length && bytes.every((byte, i) => byte === wanted[i]);
}
