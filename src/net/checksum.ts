/**
 * The Internet checksum (RFC 1071): the ones' complement sum of 16-bit words. Sums are kept
 * unfolded, as plain numbers of up to 53 bits, and folded once at the end.
 */

import { read8 } from "./wire.ts";

/**
 * Adds the 16-bit words of `bytes` from `at` on to `initial` and returns the unfolded sum. An odd
 * length counts as if padded with a zero byte. `at` may be odd: words start at `at`.
 */
export function sum(bytes: Uint8Array, at: number, lengthBytes: number, initial = 0): number {
  const evenEnd = at + (lengthBytes & ~1);
  const unrolledEnd = evenEnd - 7;
  // Adding high and low bytes separately costs two integer additions per word, and one shift in
  // all.
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

/** Folds a sum (an integer, 0 to 2^53-1) to 16 bits by adding the carries. Only 0 folds to 0. */
export function fold(sumOfWords: number): number {
  let folded = sumOfWords;
  // 2^32 is 1 modulo 0xffff, so the bits above 32 count as their own value.
  while (folded > 0xffff_ffff) folded = (folded >>> 0) + Math.floor(folded / 0x1_0000_0000);
  while (folded > 0xffff) folded = (folded >>> 16) + (folded & 0xffff);
  return folded;
}

/** The value of a checksum field: the complement of the folded sum. */
export function complement(sumOfWords: number): number {
  return ~fold(sumOfWords) & 0xffff;
}

/**
 * The value of a UDP checksum field, where 0 means "no checksum": 0 is sent as 0xffff (RFC 768).
 */
export function checksumToSend(sumOfWords: number): number {
  return complement(sumOfWords) || 0xffff;
}

/**
 * The sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1). The source address
 * starts at `sourceAt`; the destination follows it, as in both IP headers.
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
