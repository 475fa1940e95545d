/** Bytes that stand for the same thing in a recording and now, where the two part: pure. */
import type { RecordedBytes } from "../../recording/recorded-stream.ts";

/** No equivalent is longer. */
export const equivalentReachBytes = 16;

export interface Equivalent {
  readonly recorded: Uint8Array;
  readonly live: Uint8Array;
  /** They were found at the same place. */
  readonly confirm: () => void;
}

/** How many bytes of either are explained from the point on. */
export interface Explained {
  readonly recordedBytes: number;
  readonly liveBytes: number;
}

/**
 * Whether one of `equivalents` covers the point where what is recorded, from `offset` on, differs from
 * `after`. `before` is what came before it in both.
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
