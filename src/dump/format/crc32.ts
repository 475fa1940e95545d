/**
 * CRC-32 as in zlib, Ethernet and PNG (polynomial 0xEDB88320, reflected), in plain TypeScript: for
 * the decoder in a browser, and for the few dozen bytes of a record's header, where calling
 * `zlib.crc32` costs more than the sum itself (0.2 us).
 */

/** Slicing by 4: `table[256 * k + b]` is the CRC of the byte `b` followed by `k` zero bytes. */
const table = makeTable();

function makeTable(): Uint32Array {
  const made = new Uint32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}

/** The CRC-32 of `bytes[from..to)`, continuing `seed`. Allocates nothing. */
export function crc32Range(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  let crc = ~seed;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (table[768 + (crc & 0xff)] as number) ^
      (table[512 + ((crc >>> 8) & 0xff)] as number) ^
      (table[256 + ((crc >>> 16) & 0xff)] as number) ^
      (table[crc >>> 24] as number);
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
