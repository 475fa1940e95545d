/**
 * Whether `lengthBytes` of `a` from `aAt` equal those of `b` from `bAt`: the C library's memcmp, by
 * way of Buffer.compare.
 */
export function equalBytes(
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  lengthBytes: number,
): boolean {
  return (
    Buffer.compare(a.subarray(aAt, aAt + lengthBytes), b.subarray(bAt, bAt + lengthBytes)) === 0
  );
}
