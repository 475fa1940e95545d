/**
 * The Internet checksum (RFC 1071): the ones-complement sum of 16-bit words. A sum is carried
 * unfolded, as a plain number of up to 53 bits, and folded once at the end.
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

/** The same where zero means that there is no checksum, as in UDP: one that comes out as zero is sent as all ones (RFC 768). */
export function checksumToSend(sumOfWords: number): number {
  return complement(sumOfWords) || 0xffff;
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
