/**
 * The answers that plg gives in the place of a host: "connection refused", a reset, and "no route to
 * host", an ICMP error. The kernel that gets one must take it for the real thing, down to the sequence
 * numbers it checks before it believes either.
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

/** Room enough for whatever is written here. */
export const refusalBytesMax = 1280;

/** How long an error may become: RFC 1812 section 4.3.2.3, and RFC 4443 section 2.4 (c). */
const packetBytesMax = { 4: 576, 6: 1280 } as const;
const icmpHeaderBytes = 8;
/** Type 3 "destination unreachable", code 1 "host unreachable" (RFC 792), as one word. */
const icmpHostUnreachable = 0x0301;
/** Type 1 "destination unreachable", code 3 "address unreachable" (RFC 4443 section 3.1). */
const icmpv6AddressUnreachable = 0x0103;
/** Unreachable, source quench, redirect, time exceeded, parameter problem (RFC 1122 section 3.2.2). */
const icmpErrorTypes = new Set([3, 4, 5, 11, 12]);
/** Precedence "internetwork control", as RFC 1812 section 4.3.2.5 and Linux's `icmp_send` have it. */
const internetworkControl = 0xc0;

// One for all calls: nothing here calls back, and each thread has a copy of the module.
const view = new PacketView();

/**
 * Writes to `outAt` what a host answers to the TCP segment (mostly a SYN) at `segmentAt` when it has no
 * such connection and no such listener: RFC 9293 section 3.10.7.1. Returns the packet's length in
 * bytes, or 0 when there is nothing to answer (the segment is itself a reset, or not whole TCP). The
 * segment's checksum may be partial, the reset's is full. The two may share a buffer, but not overlap.
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

/** The reset's TCP header, with a checksum of 0, as answer to the segment in `view`. */
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

/** SEG.SEQ + SEG.LEN: SYN and FIN count one each, and a SYN may carry data (TCP Fast Open, RFC 7413). */
function sequenceAfter(segment: Uint8Array): number {
  const { transportAt } = view;
  const flags = tcpFlagsAt(segment, transportAt);
  const payloadAt = transportAt + tcpHeaderBytesAt(segment, transportAt);
  const payloadBytes = view.headerAt + view.totalBytes - payloadAt;
  const controls = ((flags & TCP_SYN) !== 0 ? 1 : 0) + ((flags & TCP_FIN) !== 0 ? 1 : 0);
  return tcpSequenceAt(segment, transportAt) + payloadBytes + controls;
}

/**
 * Writes to `outAt` the error for the packet at `originalAt`, from the router at `routerAddress` (4 or
 * 16 bytes, as the packet's family) to the packet's source, with as much of the packet as may be
 * quoted. Returns the error's length in bytes, or 0 when a packet like this must not be answered.
 * `originalLengthBytes` is what the buffer holds of the packet. The two may not overlap.
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

/** RFC 1122 section 3.2.2 and RFC 4443 section 2.4 (e): never answer an error, a later fragment, or what went to many. */
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

/** Not multicast, not the limited broadcast, not unspecified. Of a subnet's own broadcast only its owner knows. */
function namesOneHost(bytes: Uint8Array, at: number): boolean {
  const first = read8(bytes, at);
  if (view.family === 6) return first !== 0xff && !isAll(bytes, at, 16, 0);
  return first >>> 4 !== 0xe && !isAll(bytes, at, 4, 0) && !isAll(bytes, at, 4, 0xff);
}

function isAll(bytes: Uint8Array, at: number, lengthBytes: number, value: number): boolean {
  for (let i = 0; i < lengthBytes; i++) if (read8(bytes, at + i) !== value) return false;
  return true;
}
