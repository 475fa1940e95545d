/**
 * The fields of an IP header (RFC 791, RFC 8200), as every parser here reads them. Parsers differ
 * in the packets that they accept: packet.ts decides what may cross a switch,
 * capture/read/ip-packet.ts takes what a capture has.
 */
import type { Family } from "../base/units.ts";
import { read16, read8 } from "./wire.ts";

// IPv6 extension headers.
export const IPPROTO_HOPOPTS = 0;
const IPPROTO_ROUTING = 43;
export const IPPROTO_FRAGMENT = 44;
const IPPROTO_DSTOPTS = 60;

/** Header lengths without options, in bytes. */
export const ipv4HeaderBytes = 20;
export const ipv6HeaderBytes = 40;

/** Plain numbers, valid only after a parser returned true. Offsets are absolute in the buffer. */
export class IpFields {
  family: Family = 4;
  /** The transport's protocol number, behind any IPv6 extension headers. */
  protocol = 0;
  /** The start of the IP header. */
  headerAt = 0;
  sourceAt = 0;
  destinationAt = 0;
  /** The start of the transport header or, in a later fragment, of its share of the payload. */
  transportAt = 0;
  /** In bytes; 0 for a first fragment and for a whole packet. */
  fragmentOffset = 0;
  moreFragments = false;

  /** Reads the fixed part at `at`, which must be there. The transport begins after any options. */
  protected readIpv4(bytes: Uint8Array, at: number): void {
    const fragment = read16(bytes, at + 6);
    this.family = 4;
    this.protocol = read8(bytes, at + 9);
    this.headerAt = at;
    this.sourceAt = at + 12;
    this.destinationAt = at + 16;
    this.transportAt = at + (read8(bytes, at) & 0x0f) * 4;
    this.fragmentOffset = (fragment & 0x1fff) * 8;
    this.moreFragments = (fragment & 0x2000) !== 0;
  }

  /** Reads the header at `at`, which must be there. Extension headers may follow. */
  protected readIpv6(bytes: Uint8Array, at: number): void {
    this.family = 6;
    this.protocol = read8(bytes, at + 6);
    this.headerAt = at;
    this.sourceAt = at + 8;
    this.destinationAt = at + 24;
    this.transportAt = at + ipv6HeaderBytes;
    this.fragmentOffset = 0;
    this.moreFragments = false;
  }

  /**
   * RFC 8200 section 4.5: the offset counts units of 8 bytes in the upper 13 bits, so masking
   * yields bytes.
   */
  protected readFragmentHeader(bytes: Uint8Array, headerAt: number): void {
    const field = read16(bytes, headerAt + 2);
    this.fragmentOffset = field & 0xfff8;
    this.moreFragments = (field & 1) !== 0;
  }
}

/** Whether a parser skips this header; anything else counts as the transport. */
export function isExtensionHeader(protocol: number): boolean {
  return (
    protocol === IPPROTO_HOPOPTS ||
    protocol === IPPROTO_ROUTING ||
    protocol === IPPROTO_FRAGMENT ||
    protocol === IPPROTO_DSTOPTS
  );
}
