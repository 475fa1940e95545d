/**
 * Answers that plg gives in place of a host: a reset ("connection refused") and an ICMP error ("no
 * route to host"). The receiving kernel must accept them as genuine, so even the sequence numbers
 * that it checks are right.
 */

import { addressBytesOf } from "./address.ts";
import { complement, pseudoHeaderSum, sum } from "./checksum.ts";
import { ipHeaderBytesOf, sourceOffsetOf, writeAddresses, writeIpHeader } from "./ip-header.ts";
import {
  destinationPortAt,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  PacketView,
  sourcePortAt,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  tcpAcknowledgmentAt,
  tcpChecksumOffset,
  tcpFlagsAt,
  tcpHeaderBytes,
  tcpHeaderBytesAt,
  tcpSequenceAt,
} from "./packet.ts";
import { copyBytes, read8, write16, write32 } from "./wire.ts";

/** The size of a buffer that holds any packet written here. */
export const refusalBytesMax = 1280;

/** The longest ICMP error: RFC 1812 section 4.3.2.3, and RFC 4443 section 2.4 (c). */
const packetBytesMax = { 4: 576, 6: 1280 } as const;
const icmpHeaderBytes = 8;
/** Type 3 "destination unreachable", code 1 "host unreachable" (RFC 792), as one word. */
const icmpHostUnreachable = 0x0301;
/** Type 1 "destination unreachable", code 3 "address unreachable" (RFC 4443 section 3.1). */
const icmpv6AddressUnreachable = 0x0103;
/**
 * Unreachable, source quench, redirect, time exceeded, parameter problem (RFC 1122 section 3.2.2).
 */
const icmpErrorTypes = new Set([3, 4, 5, 11, 12]);
/** Precedence "internetwork control" (RFC 1812 section 4.3.2.5), as in Linux's `icmp_send`. */
const internetworkControl = 0xc0;

// Shared by all calls: nothing here re-enters, and each thread has its own copy of the module.
const view = new PacketView();

/**
 * Writes to `outAt` a host's answer to a TCP segment (usually a SYN) at `segmentAt` for which it
 * has neither a connection nor a listener: RFC 9293 section 3.10.7.1. Returns the packet's length
 * in bytes, or 0 if the segment must not be answered (it is a reset, or not a whole TCP segment).
 * The segment's checksum may be partial; the reset's is complete. The two may share a buffer, but
 * must not overlap.
 */
export function writeReset(
  out: Uint8Array,
  outAt: number,
  segment: Uint8Array,
  segmentAt: number,
): number {
  if (!view.parse(segment, segmentAt, segment.length - segmentAt)) return 0;
  if (view.protocol !== IPPROTO_TCP || view.fragmentOffset !== 0) return 0;
  if ((tcpFlagsAt(segment, view.transportAt) & TCP_RST) !== 0) return 0;
  const { family, destinationAt, sourceAt } = view;
  const tcpAt = outAt + ipHeaderBytesOf(family);
  writeAddresses(out, outAt, family, segment, destinationAt, segment, sourceAt);
  writeIpHeader(out, outAt, family, 0, IPPROTO_TCP, tcpHeaderBytes);
  writeTcpHeader(out, tcpAt, segment);
  const pseudoAt = outAt + sourceOffsetOf(family);
  const pseudo = pseudoHeaderSum(
    out,
    pseudoAt,
    addressBytesOf(family),
    IPPROTO_TCP,
    tcpHeaderBytes,
  );
  write16(out, tcpAt + tcpChecksumOffset, complement(sum(out, tcpAt, tcpHeaderBytes, pseudo)));
  return tcpAt + tcpHeaderBytes - outAt;
}

/** Writes the TCP header of the reset that answers the segment in `view`, with a checksum of 0. */
function writeTcpHeader(out: Uint8Array, at: number, segment: Uint8Array): void {
  const { transportAt } = view;
  const acknowledges = (tcpFlagsAt(segment, transportAt) & TCP_ACK) !== 0;
  write16(out, at, destinationPortAt(segment, transportAt));
  write16(out, at + 2, sourcePortAt(segment, transportAt));
  write32(out, at + 4, acknowledges ? tcpAcknowledgmentAt(segment, transportAt) : 0);
  write32(out, at + 8, acknowledges ? 0 : sequenceAfter(segment));
  write16(out, at + 12, 0x5000 | (acknowledges ? TCP_RST : TCP_RST | TCP_ACK));
  write16(out, at + 14, 0);
  write32(out, at + 16, 0);
}

/** SEG.SEQ + SEG.LEN: SYN and FIN count as one each, and a SYN may carry data (RFC 7413). */
function sequenceAfter(segment: Uint8Array): number {
  const { transportAt } = view;
  const flags = tcpFlagsAt(segment, transportAt);
  const payloadAt = transportAt + tcpHeaderBytesAt(segment, transportAt);
  const payloadBytes = view.headerAt + view.totalBytes - payloadAt;
  const controls = ((flags & TCP_SYN) !== 0 ? 1 : 0) + ((flags & TCP_FIN) !== 0 ? 1 : 0);
  return tcpSequenceAt(segment, transportAt) + payloadBytes + controls;
}

/**
 * Writes to `outAt` the error for the packet at `originalAt`, from the router at `routerAddress` (4
 * or 16 bytes, of the packet's family) to the packet's source. It quotes as much of the packet as
 * allowed. Returns the error's length in bytes, or 0 if such a packet must not be answered. The
 * buffer holds `originalLengthBytes` of the packet. The two must not overlap.
 */
export function writeHostUnreachable(
  out: Uint8Array,
  outAt: number,
  original: Uint8Array,
  originalAt: number,
  originalLengthBytes: number,
  routerAddress: Uint8Array,
): number {
  if (!view.parse(original, originalAt, originalLengthBytes) || !mayAnswer(original)) return 0;
  const { family, sourceAt } = view;
  const icmpAt = outAt + ipHeaderBytesOf(family);
  const quoteAt = icmpAt + icmpHeaderBytes;
  const quoteBytes = Math.min(view.totalBytes, outAt + packetBytesMax[family] - quoteAt);
  const icmpBytes = icmpHeaderBytes + quoteBytes;
  const protocol = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  writeAddresses(out, outAt, family, routerAddress, 0, original, sourceAt);
  writeIpHeader(out, outAt, family, family === 4 ? internetworkControl : 0, protocol, icmpBytes);
  write16(out, icmpAt, family === 4 ? icmpHostUnreachable : icmpv6AddressUnreachable);
  write16(out, icmpAt + 2, 0);
  write32(out, icmpAt + 4, 0);
  copyBytes(out, quoteAt, original, originalAt, quoteBytes);
  // Only ICMPv6 has a pseudo-header (RFC 4443 section 2.3).
  const pseudoAt = outAt + sourceOffsetOf(family);
  const pseudo =
    family === 4
      ? 0
      : pseudoHeaderSum(out, pseudoAt, addressBytesOf(family), IPPROTO_ICMPV6, icmpBytes);
  write16(out, icmpAt + 2, complement(sum(out, icmpAt, icmpBytes, pseudo)));
  return icmpAt + icmpBytes - outAt;
}

/**
 * RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e): errors, later fragments and multicasts get no
 * answer.
 */
function mayAnswer(original: Uint8Array): boolean {
  return (
    view.fragmentOffset === 0 &&
    !isIcmpError(original) &&
    namesOneHost(original, view.sourceAt) &&
    namesOneHost(original, view.destinationAt)
  );
}

function isIcmpError(original: Uint8Array): boolean {
  const type = read8(original, view.transportAt);
  // RFC 4443 section 2.1: errors have the top bit clear.
  if (view.protocol === IPPROTO_ICMPV6) return type < 128;
  return view.protocol === IPPROTO_ICMP && icmpErrorTypes.has(type);
}

/**
 * Neither multicast, limited broadcast nor unspecified. Only the owner knows a subnet's broadcast.
 */
function namesOneHost(bytes: Uint8Array, at: number): boolean {
  const first = read8(bytes, at);
  if (view.family === 6) return first !== 0xff && !isAll(bytes, at, 16, 0);
  return first >>> 4 !== 0xe && !isAll(bytes, at, 4, 0) && !isAll(bytes, at, 4, 0xff);
}

function isAll(bytes: Uint8Array, at: number, lengthBytes: number, value: number): boolean {
  for (let i = 0; i < lengthBytes; i++) if (read8(bytes, at + i) !== value) return false;
  return true;
}
