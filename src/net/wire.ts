/**
 * Big-endian ("network order") numbers at any offset. Reading past the end yields zeros instead of
 * throwing, so that a parser can read first and validate afterwards.
 */

/** The unsigned 8-bit number at `at`. */
export function read8(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | 0;
}

/** The unsigned 16-bit number at `at`. */
export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** The 32 bits at `at` as a signed number, which optimized code never boxes on the heap. */
export function readBits32(bytes: Uint8Array, at: number): number {
  return (read16(bytes, at) << 16) | read16(bytes, at + 2);
}

/** The unsigned 32-bit number at `at`. */
export function read32(bytes: Uint8Array, at: number): number {
  return readBits32(bytes, at) >>> 0;
}

/** Writes the low 16 bits of `value`. */
export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes the low 32 bits of `value`. */
export function write32(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, value >>> 16);
  write16(bytes, at + 2, value);
}

/** Copies `lengthBytes` without allocating the view that `set` and `subarray` would need. */
export function copyBytes(
  out: Uint8Array,
  outAt: number,
  from: Uint8Array,
  fromAt: number,
  lengthBytes: number,
): void {
  for (let i = 0; i < lengthBytes; i++) out[outAt + i] = from[fromAt + i] as number;
}
