/**
 * The Internet checksum (RFC 1071): the ones-complement sum of 16-bit words. A sum is carried
 * unfolded, as a plain number of up to 53 bits, and folded once at the end.
 *
 * In ones-complement arithmetic 0x0000 and 0xffff are both zero. `fold` gives 0 only for a sum that is
 * 0 itself, thus only for data that is all zeros. An IP or TCP header never is, so the checksum of a
 * packet is never 0xffff, and {@link updateChecksum} gives exactly the number a full computation gives:
 * the case RFC 1624 section 3 warns of does not come up.
 */

import { read8 } from "./wire.ts";

/**
 * Adds the words of `bytes` from `at`, as if padded with one zero byte to an even length, to
 * `initial`, and returns the unfolded sum. `at` may be odd: words are counted from `at`.
 */
export function sum(bytes: Uint8Array, at: number, lengthBytes: number, initial = 0): number {
  const evenEnd = at + (lengthBytes & ~1);
  const unrolledEnd = evenEnd - 7;
  // High and low bytes are added apart: two integer additions a word, and the shift is paid once.
  let high = 0;
  let low = 0;
  let i = at;
  for (; i < unrolledEnd; i += 8) {
    high += read8(bytes, i) + read8(bytes, i + 2) + read8(bytes, i + 4) + read8(bytes, i + 6);
    low += read8(bytes, i + 1) + read8(bytes, i + 3) + read8(bytes, i + 5) + read8(bytes, i + 7);
  }
  for (; i < evenEnd; i += 2) {
    high += read8(bytes, i);
    low += read8(bytes, i + 1);
  }
  if ((lengthBytes & 1) !== 0) high += read8(bytes, evenEnd);
  return initial + high * 256 + low;
}

/** Brings a sum (a whole number, 0 to 2^53-1) to its 16 bits by adding the carries in; 0 only for 0. */
export function fold(sumOfWords: number): number {
  let folded = sumOfWords;
  // 2^32 leaves 1 when divided by 0xffff, so what stands above 32 bits counts as itself.
  while (folded > 0xffff_ffff) folded = (folded >>> 0) + Math.floor(folded / 0x1_0000_0000);
  while (folded > 0xffff) folded = (folded >>> 16) + (folded & 0xffff);
  return folded;
}

/** What goes into a checksum field: the complement of the folded sum. */
export function complement(sumOfWords: number): number {
  return ~fold(sumOfWords) & 0xffff;
}

/** What a sum grows by when a word of the data changes: `~m + m'` of RFC 1624. Deltas may be added up. */
export function wordDelta(before: number, after: number): number {
  return (~before & 0xffff) + after;
}

/** A checksum field after its data changed by `delta`: RFC 1624 equation 3, `HC' = ~(~HC + ~m + m')`. */
export function updateChecksum(checksum: number, delta: number): number {
  return complement((~checksum & 0xffff) + delta);
}

/**
 * The same for a partial checksum (virtio `NEEDS_CSUM`, Linux `CHECKSUM_PARTIAL`): the field then holds
 * the folded sum of the pseudo-header, not complemented, and the device or the receiver adds the rest.
 */
export function updatePartialChecksum(partial: number, delta: number): number {
  return fold(partial + delta);
}

/**
 * The sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) of a packet whose source
 * address stands at `sourceAt` and whose destination follows it, as both families have it.
 */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  sourceAt: number,
  addressBytes: number,
  protocol: number,
  lengthBytes: number,
): number {
  return sum(bytes, sourceAt, 2 * addressBytes, protocol + lengthBytes);
}
