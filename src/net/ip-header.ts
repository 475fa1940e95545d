/** Writes the IP headers of packets that plg creates. */

import type { Family } from "../base/units.ts";
import { addressBytesOf } from "./address.ts";
import { complement, sum } from "./checksum.ts";
import { ipv4ChecksumOffset, ipv4HeaderBytes, ipv6HeaderBytes } from "./packet.ts";
import { copyBytes, write16, write32 } from "./wire.ts";

/** The TTL or hop limit of our packets: Linux's default. */
const hopLimit = 64;
/**
 * "Don't fragment": such a packet needs no identification (RFC 6864 section 4.1). Linux resets
 * match.
 */
const IP_DF = 0x4000;

/** The length of an IP header without options or extensions: 20 or 40 bytes. */
export function ipHeaderBytesOf(family: Family): number {
  return family === 4 ? ipv4HeaderBytes : ipv6HeaderBytes;
}

/** The offset of the source address in the header; the destination follows it directly. */
export function sourceOffsetOf(family: Family): number {
  return family === 4 ? 12 : 8;
}

/** Writes both addresses of the header at `at`, copied from `source` and `destination`. */
export function writeAddresses(
  out: Uint8Array,
  at: number,
  family: Family,
  source: Uint8Array,
  sourceAt: number,
  destination: Uint8Array,
  destinationAt: number,
): void {
  const addressBytes = addressBytesOf(family);
  const outSourceAt = at + sourceOffsetOf(family);
  copyBytes(out, outSourceAt, source, sourceAt, addressBytes);
  copyBytes(out, outSourceAt + addressBytes, destination, destinationAt, addressBytes);
}

/**
 * Writes the rest of the header for a payload of `payloadBytes`. Call {@link writeAddresses} first:
 * the IPv4 checksum covers the addresses.
 */
export function writeIpHeader(
  out: Uint8Array,
  at: number,
  family: Family,
  trafficClass: number,
  protocol: number,
  payloadBytes: number,
): void {
  if (family === 4) {
    write16(out, at, 0x4500 | trafficClass);
    write16(out, at + 2, ipv4HeaderBytes + payloadBytes);
    write32(out, at + 4, IP_DF);
    write16(out, at + 8, (hopLimit << 8) | protocol);
    write16(out, at + ipv4ChecksumOffset, 0);
    write16(out, at + ipv4ChecksumOffset, complement(sum(out, at, ipv4HeaderBytes)));
  } else {
    write32(out, at, 0x6000_0000 | (trafficClass << 20));
    write16(out, at + 4, payloadBytes);
    write16(out, at + 6, (protocol << 8) | hopLimit);
  }
}
