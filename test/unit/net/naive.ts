/**
 * The slow, obvious twin of what src/net does fast, and packets to feed both. Shares no code with
 * src/net.
 */

import * as fc from "fast-check";
import type { Family } from "../../../src/base/units.ts";

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The ones-complement sum, carried around at every step: one 16-bit word after the other. */
export function naiveSum(...parts: Uint8Array[]): number {
  let total = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) {
      total += (part[i] ?? 0) * 256 + (part[i + 1] ?? 0);
      if (total > 0xffff) total -= 0xffff;
    }
  }
  return total;
}

export function pseudoHeader(packet: Uint8Array, protocol: number, length: number): Uint8Array {
  const addresses = packet[0] === undefined || packet[0] >> 4 === 4 ? [12, 20] : [8, 40];
  const tail = [0, protocol, length >>> 8, length & 0xff];
  return Uint8Array.from([...packet.slice(...addresses), ...tail]);
}

/** The TCP checksum that a full computation gives; the TCP header stands at `tcpAt` of `packet`. */
export function naiveTcpChecksum(packet: Uint8Array, tcpAt: number): number {
  const segment = packet.slice(tcpAt);
  segment.set([0, 0], 16);
  return 0xffff - naiveSum(pseudoHeader(packet, 6, segment.length), segment);
}

export function naiveIpv4Checksum(packet: Uint8Array): number {
  const header = packet.slice(0, ((packet[0] ?? 0) & 15) * 4);
  header.set([0, 0], 10);
  return 0xffff - naiveSum(header);
}

export function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(at);
}

export function setWord(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, value);
}

export interface TcpPacket {
  family: Family;
  source: Uint8Array;
  destination: Uint8Array;
  /** IPv4 options or IPv6 extension headers. */
  extra: Uint8Array;
  /** The protocol number of the first IPv6 extension header. */
  firstExtra: number;
  segment: Uint8Array;
}

/** A whole packet with correct checksums. */
export function build(packet: TcpPacket): { bytes: Uint8Array; tcpAt: number } {
  const { family, extra, segment } = packet;
  const fixed = family === 4 ? 20 : 40;
  const tcpAt = fixed + extra.length;
  const bytes = new Uint8Array(tcpAt + segment.length);
  if (family === 4) {
    bytes.set([0x40 | (tcpAt / 4), 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6]);
    setWord(bytes, 2, bytes.length);
  } else {
    bytes.set([0x60, 0, 0, 0, 0, 0, extra.length > 0 ? packet.firstExtra : 6, 64]);
    setWord(bytes, 4, bytes.length - 40);
  }
  bytes.set(packet.source, family === 4 ? 12 : 8);
  bytes.set(packet.destination, family === 4 ? 16 : 24);
  bytes.set(extra, fixed);
  bytes.set(segment, tcpAt);
  if (family === 4) setWord(bytes, 10, naiveIpv4Checksum(bytes));
  setWord(bytes, tcpAt + 16, naiveTcpChecksum(bytes, tcpAt));
  return { bytes, tcpAt };
}

export function bytesOfLength(length: number): fc.Arbitrary<Uint8Array> {
  // Zeros and ones are made likelier than chance has them: that is where ones-complement is
  // delicate.
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 255));
  return fc
    .array(byte, { minLength: length, maxLength: length })
    .map((list) => Uint8Array.from(list));
}

const segments: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 5, max: 15 }))
  .chain(([payload, words]) =>
    bytesOfLength(words * 4 + payload).map((bytes) => {
      bytes[12] = words << 4;
      return bytes;
    }),
  );

export const families: fc.Arbitrary<Family> = fc.constantFrom(4, 6);

export const tcpPackets: fc.Arbitrary<TcpPacket> = families.chain((family) =>
  fc.record({
    family: fc.constant(family),
    source: bytesOfLength(family === 4 ? 4 : 16),
    destination: bytesOfLength(family === 4 ? 4 : 16),
    // IPv4: no-operation options. IPv6: one destination options header, of padding.
    extra: fc.integer({ min: 0, max: 3 }).map((n) => {
      if (family === 4) return new Uint8Array(4 * n).fill(1);
      return n === 0 ? new Uint8Array() : paddingHeader(6, n);
    }),
    firstExtra: fc.constantFrom(0, 60),
    segment: segments,
  }),
);

/**
 * An options extension header of `8 * words` bytes, all padding (PadN), before a header of kind
 * `next`.
 */
export function paddingHeader(next: number, words: number): Uint8Array {
  const header = new Uint8Array(8 * words);
  header.set([next, words - 1, 1, 8 * words - 4]);
  return header;
}
