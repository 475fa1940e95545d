/**
 * The Ethernet, IP and TCP headers in front of each chunk of a stream in the dump. They let
 * Wireshark and tcpdump read the chunk as a captured packet, although no such packet ever crossed a
 * wire.
 */

import type { Family, HostNumber, Port } from "../base/units.ts";
import { ipHeaderBytesOf, writeAddresses, writeIpHeader } from "./ip-header.ts";
import { IPPROTO_TCP, tcpHeaderBytes } from "./packet.ts";
import { write16, write32 } from "./wire.ts";

/**
 * The largest payload of a synthetic packet: what IPv4's 16-bit total length allows. IPv6 uses it
 * too.
 */
export const maxChunkBytes = 65_495;

const ethernetHeaderBytes = 14;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
/** Streams in the dump have no flow control: the largest window without scaling. */
const window = 65_535;

/**
 * What a synthetic packet says. Made once and filled again for each packet; addresses are only
 * read.
 */
export interface SyntheticHeader {
  family: Family;
  /** 4 or 16 bytes each, as the family has it. */
  sourceAddress: Uint8Array;
  destinationAddress: Uint8Array;
  /** Which containers these are: the MACs are derived from it. */
  sourceHost: HostNumber;
  destinationHost: HostNumber;
  sourcePort: Port;
  destinationPort: Port;
  /**
   * Sequence numbers; only the low 32 bits count, so a stream offset that grows beyond them is
   * fine.
   */
  sequence: number;
  acknowledgment: number;
  /** A sum of `TCP_SYN` and the like. */
  flags: number;
  /** How many bytes the caller puts behind the header: 0 to {@link maxChunkBytes}. */
  payloadBytes: number;
}

/** The length of what {@link writeSynthetic} writes: 54 or 74 bytes. */
export function syntheticHeaderBytes(family: Family): number {
  return ethernetHeaderBytes + ipHeaderBytesOf(family) + tcpHeaderBytes;
}

/**
 * Writes the header at `at`. The TCP checksum is left 0: summing the payload would cost the data
 * path more than it gives, as Wireshark does not verify it unless told to, and the dump has a CRC
 * of its own.
 */
export function writeSynthetic(out: Uint8Array, at: number, header: SyntheticHeader): void {
  const { family } = header;
  writeMac(out, at, header.destinationHost);
  writeMac(out, at + 6, header.sourceHost);
  write16(out, at + 12, family === 4 ? ETH_P_IP : ETH_P_IPV6);
  const ipAt = at + ethernetHeaderBytes;
  writeAddresses(out, ipAt, family, header.sourceAddress, 0, header.destinationAddress, 0);
  writeIpHeader(out, ipAt, family, 0, IPPROTO_TCP, tcpHeaderBytes + header.payloadBytes);
  writeTcpHeader(out, ipAt + ipHeaderBytesOf(family), header);
}

/**
 * Writes a container's MAC, 6 bytes: 02:70:6c ("locally administered", then "pl") and the host
 * number.
 */
export function writeMac(out: Uint8Array, at: number, host: HostNumber): void {
  write16(out, at, 0x0270);
  write32(out, at + 2, 0x6c00_0000 | host);
}

function writeTcpHeader(out: Uint8Array, at: number, header: SyntheticHeader): void {
  write16(out, at, header.sourcePort);
  write16(out, at + 2, header.destinationPort);
  write32(out, at + 4, header.sequence);
  write32(out, at + 8, header.acknowledgment);
  write16(out, at + 12, 0x5000 | header.flags);
  write16(out, at + 14, window);
  write32(out, at + 16, 0);
}
