/**
 * Reads IPv4 (RFC 791), IPv6 (RFC 8200) and TCP (RFC 9293) headers in place, without allocating.
 * Offsets are absolute within the buffer that holds the packet.
 */

import type { Family, Port } from "../base/units.ts";
import {
  IpFields,
  IPPROTO_FRAGMENT,
  ipv4HeaderBytes,
  ipv6HeaderBytes,
  isExtensionHeader,
} from "./ip-fields.ts";
import { read16, read32, read8 } from "./wire.ts";

/** Protocol numbers, as `<linux/in.h>` spells them. */
export const IPPROTO_ICMP = 1;
export const IPPROTO_IGMP = 2;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_ICMPV6 = 58;

/** TCP flags: the 14th byte of the header. */
export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;

/** The length of a TCP header without options, in bytes. */
export const tcpHeaderBytes = 20;
export { ipv4HeaderBytes, ipv6HeaderBytes };

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
export class PacketView extends IpFields {
  /** The packet's length according to its IP header; the buffer may hold more. */
  totalBytes = 0;
  /**
   * Parses the packet at `at`, of at most `lengthBytes`. Returns false, and never throws, if it is
   * truncated or malformed. Otherwise the IP header and, except in later fragments, any TCP header
   * are complete within `totalBytes`. The kernels at both ends verify the checksums.
   */
  parse(bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const heldBytes = Math.min(lengthBytes, bytes.length - at);
    const version = versionAt(bytes, at);
    if (version === 4) return this.#parseIpv4(bytes, at, heldBytes) && this.#tcpIsWhole(bytes);
    if (version === 6) return this.#parseIpv6(bytes, at, heldBytes) && this.#tcpIsWhole(bytes);
    return false;
  }

  #parseIpv4(bytes: Uint8Array, at: number, heldBytes: number): boolean {
    if (heldBytes < ipv4HeaderBytes) return false;
    this.readIpv4(bytes, at);
    this.totalBytes = read16(bytes, at + 2);
    const headerBytes = this.transportAt - at;
    return (
      headerBytes >= ipv4HeaderBytes &&
      headerBytes <= this.totalBytes &&
      this.totalBytes <= heldBytes
    );
  }

  #parseIpv6(bytes: Uint8Array, at: number, heldBytes: number): boolean {
    if (heldBytes < ipv6HeaderBytes) return false;
    this.readIpv6(bytes, at);
    this.totalBytes = ipv6HeaderBytes + read16(bytes, at + 4);
    return this.totalBytes <= heldBytes && this.#walkExtensionHeaders(bytes);
  }

  /** Skips extension headers. Each has at least 8 bytes, so the loop terminates. */
  #walkExtensionHeaders(bytes: Uint8Array): boolean {
    const endAt = this.headerAt + this.totalBytes;
    while (this.fragmentOffset === 0 && isExtensionHeader(this.protocol)) {
      const headerAt = this.transportAt;
      this.transportAt += 8;
      if (this.protocol === IPPROTO_FRAGMENT) this.readFragmentHeader(bytes, headerAt);
      else this.transportAt += read8(bytes, headerAt + 1) * 8;
      if (this.transportAt > endAt) return false;
      this.protocol = read8(bytes, headerAt);
    }
    return true;
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
