/**
 * The checksum of a record's packet data, designed for speed: every byte is summed once when it is
 * written and once when it is read, and zlib's CRC-32 took a quarter of the CPU time of a recording
 * at full speed.
 *
 * The data is a sequence of little-endian 32-bit words, distributed in turn to four lanes. Each
 * lane keeps the sum of its words and the sum of those sums, modulo 2^32, as Fletcher's checksum
 * does (RFC 1146); the second depends on each word's position. Four lanes fill one 128-bit vector
 * (vector-sum.ts). The checksum is the CRC-32 of the lanes' sums followed by their sums of sums. It
 * always detects a single changed word, and anything else except for one chance in 2^32. It detects
 * damage, not forgery.
 */
import { crc32Range } from "./crc32.ts";

const lanes = 4;
/** The state of the lanes: their sums, then their sums of sums. */
export const laneSumsBytes: number = 2 * 4 * lanes;

const ownSums = new Int32Array(2 * lanes);

/** The checksum of `words[from..to)`. */
export function sumWords(words: Int32Array, from: number, to: number): number {
  ownSums.fill(0);
  return continueSum(words, from, to, ownSums);
}

/** The checksum of `bytes[from..to)`: a whole number of words, at any alignment. */
export function sumBytes(bytes: Uint8Array, from: number, to: number): number {
  const isAligned = (bytes.byteOffset + from) % 4 === 0;
  const stretch = bytes.subarray(from, to);
  const part = isAligned ? stretch : new Uint8Array(stretch);
  return sumWords(
    new Int32Array(part.buffer, part.byteOffset, part.length / 4),
    0,
    part.length / 4,
  );
}

/**
 * The checksum of the data summed in `sums` so far, followed by `words[from..to)`. Overwrites
 * `sums`.
 */
export function continueSum(words: Int32Array, from: number, to: number, sums: Int32Array): number {
  const groupsEnd = to - ((to - from) % lanes);
  addGroups(words, from, groupsEnd, sums);
  for (let lane = 0; groupsEnd + lane < to; lane++) {
    const sum = ((sums[lane] as number) + (words[groupsEnd + lane] as number)) | 0;
    sums[lane] = sum;
    sums[lanes + lane] = ((sums[lanes + lane] as number) + sum) | 0;
  }
  return crc32Range(new Uint8Array(sums.buffer, sums.byteOffset, laneSumsBytes), 0, laneSumsBytes);
}

/**
 * Adds whole groups of four words. Unrolled, so that no lane's additions wait for another's: twice
 * as fast as a loop over the lanes.
 */
function addGroups(words: Int32Array, from: number, to: number, sums: Int32Array): void {
  let a0 = sums[0] as number;
  let a1 = sums[1] as number;
  let a2 = sums[2] as number;
  let a3 = sums[3] as number;
  let b0 = sums[4] as number;
  let b1 = sums[5] as number;
  let b2 = sums[6] as number;
  let b3 = sums[7] as number;
  for (let i = from; i < to; i += lanes) {
    a0 = (a0 + (words[i] as number)) | 0;
    b0 = (b0 + a0) | 0;
    a1 = (a1 + (words[i + 1] as number)) | 0;
    b1 = (b1 + a1) | 0;
    a2 = (a2 + (words[i + 2] as number)) | 0;
    b2 = (b2 + a2) | 0;
    a3 = (a3 + (words[i + 3] as number)) | 0;
    b3 = (b3 + a3) | 0;
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  sums[4] = b0;
  sums[5] = b1;
  sums[6] = b2;
  sums[7] = b3;
}
