/**
 * Reads IPv4 (RFC 791), IPv6 (RFC 8200) and TCP (RFC 9293) headers in place, without allocating.
 * Offsets are absolute within the buffer that holds the packet.
 */

import type { Family, Port } from "../base/units.ts";
import { read16, read32, read8 } from "./wire.ts";

/** Protocol numbers, as `<linux/in.h>` spells them. */
export const IPPROTO_ICMP = 1;
export const IPPROTO_IGMP = 2;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_ICMPV6 = 58;

// The IPv6 extension headers that the parser skips; anything else counts as the transport.
const IPPROTO_HOPOPTS = 0;
const IPPROTO_ROUTING = 43;
const IPPROTO_FRAGMENT = 44;
const IPPROTO_DSTOPTS = 60;

/** TCP flags: the 14th byte of the header. */
export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;

/** Header lengths without options, in bytes. */
export const ipv4HeaderBytes = 20;
export const ipv6HeaderBytes = 40;
export const tcpHeaderBytes = 20;

/** The offset of the checksum in its header. */
export const ipv4ChecksumOffset = 10;
export const tcpChecksumOffset = 16;

/** The IP version of the packet at `at`, from its first four bits; 0 if it is neither 4 nor 6. */
export function versionAt(bytes: Uint8Array, at: number): Family | 0 {
  const version = read8(bytes, at) >>> 4;
  return version === 4 || version === 6 ? version : 0;
}

/**
 * A packet's layout, filled by {@link PacketView.parse} and reused for each packet. The fields are
 * plain numbers, valid only after `parse` returned true.
 */
export class PacketView {
  family: Family = 4;
  /** The transport's protocol number, behind any IPv6 extension headers. */
  protocol = 0;
  /** The start of the IP header. */
  headerAt = 0;
  sourceAt = 0;
  destinationAt = 0;
  /** The start of the transport header or, in a later fragment, of its share of the payload. */
  transportAt = 0;
  /** The packet's length according to its IP header; the buffer may hold more. */
  totalBytes = 0;
  /** In bytes; 0 for a first fragment and for a whole packet. */
  fragmentOffset = 0;
  moreFragments = false;

  /**
   * Parses the packet at `at`, of at most `lengthBytes`. Returns false, and never throws, if it is
   * truncated or malformed. Otherwise the IP header and, except in later fragments, any TCP header
   * are complete within `totalBytes`. The kernels at both ends verify the checksums.
   */
  parse(bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const heldBytes = Math.min(lengthBytes, bytes.length - at);
    this.headerAt = at;
    const version = versionAt(bytes, at);
    if (version === 4) return this.#parseIpv4(bytes, at, heldBytes) && this.#tcpIsWhole(bytes);
    if (version === 6) return this.#parseIpv6(bytes, at, heldBytes) && this.#tcpIsWhole(bytes);
    return false;
  }

  #parseIpv4(bytes: Uint8Array, at: number, heldBytes: number): boolean {
    if (heldBytes < ipv4HeaderBytes) return false;
    const headerBytes = (read8(bytes, at) & 0x0f) * 4;
    const fragment = read16(bytes, at + 6);
    this.family = 4;
    this.protocol = read8(bytes, at + 9);
    this.sourceAt = at + 12;
    this.destinationAt = at + 16;
    this.transportAt = at + headerBytes;
    this.totalBytes = read16(bytes, at + 2);
    this.fragmentOffset = (fragment & 0x1fff) * 8;
    this.moreFragments = (fragment & 0x2000) !== 0;
    return (
      headerBytes >= ipv4HeaderBytes &&
      headerBytes <= this.totalBytes &&
      this.totalBytes <= heldBytes
    );
  }

  #parseIpv6(bytes: Uint8Array, at: number, heldBytes: number): boolean {
    if (heldBytes < ipv6HeaderBytes) return false;
    this.family = 6;
    this.protocol = read8(bytes, at + 6);
    this.sourceAt = at + 8;
    this.destinationAt = at + 24;
    this.transportAt = at + ipv6HeaderBytes;
    this.totalBytes = ipv6HeaderBytes + read16(bytes, at + 4);
    this.fragmentOffset = 0;
    this.moreFragments = false;
    return this.totalBytes <= heldBytes && this.#walkExtensionHeaders(bytes);
  }

  /** Skips extension headers. Each has at least 8 bytes, so the loop terminates. */
  #walkExtensionHeaders(bytes: Uint8Array): boolean {
    const endAt = this.headerAt + this.totalBytes;
    while (this.fragmentOffset === 0 && isExtensionHeader(this.protocol)) {
      const headerAt = this.transportAt;
      this.transportAt += 8;
      if (this.protocol === IPPROTO_FRAGMENT) this.#readFragmentHeader(bytes, headerAt);
      else this.transportAt += read8(bytes, headerAt + 1) * 8;
      if (this.transportAt > endAt) return false;
      this.protocol = read8(bytes, headerAt);
    }
    return true;
  }

  /**
   * RFC 8200 section 4.5: the offset counts units of 8 bytes in the upper 13 bits, so masking
   * yields bytes.
   */
  #readFragmentHeader(bytes: Uint8Array, headerAt: number): void {
    const field = read16(bytes, headerAt + 2);
    this.fragmentOffset = field & 0xfff8;
    this.moreFragments = (field & 1) !== 0;
  }

  /**
   * A first fragment that splits the TCP header is an attack (RFC 3128) and counts as malformed.
   */
  #tcpIsWhole(bytes: Uint8Array): boolean {
    if (this.protocol !== IPPROTO_TCP || this.fragmentOffset !== 0) return true;
    const heldBytes = this.headerAt + this.totalBytes - this.transportAt;
    const headerBytes = tcpHeaderBytesAt(bytes, this.transportAt);
    return headerBytes >= tcpHeaderBytes && headerBytes <= heldBytes;
  }
}

function isExtensionHeader(protocol: number): boolean {
  return (
    protocol === IPPROTO_HOPOPTS ||
    protocol === IPPROTO_ROUTING ||
    protocol === IPPROTO_FRAGMENT ||
    protocol === IPPROTO_DSTOPTS
  );
}

/** The source port of the TCP (or UDP) header at `transportAt`. */
export function sourcePortAt(bytes: Uint8Array, transportAt: number): Port {
  return read16(bytes, transportAt) as Port;
}

/** The destination port of the TCP (or UDP) header at `transportAt`. */
export function destinationPortAt(bytes: Uint8Array, transportAt: number): Port {
  return read16(bytes, transportAt + 2) as Port;
}

/** The sequence number, unsigned. */
export function tcpSequenceAt(bytes: Uint8Array, transportAt: number): number {
  return read32(bytes, transportAt + 4);
}

/** The acknowledgment number, unsigned. */
export function tcpAcknowledgmentAt(bytes: Uint8Array, transportAt: number): number {
  return read32(bytes, transportAt + 8);
}

/** The length of the TCP header with its options, in bytes: the data offset, times 4. */
export function tcpHeaderBytesAt(bytes: Uint8Array, transportAt: number): number {
  return (read8(bytes, transportAt + 12) >>> 4) * 4;
}

/** The flags, combined from {@link TCP_SYN} and its siblings. */
export function tcpFlagsAt(bytes: Uint8Array, transportAt: number): number {
  return read8(bytes, transportAt + 13);
}
