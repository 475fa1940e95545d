/** Redacts a packet in place and updates its checksum. */
import { addressBytesOf } from "../net/address.ts";
import { checksumToSend, complement, pseudoHeaderSum, sum } from "../net/checksum.ts";
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_UDP, PacketView } from "../net/packet.ts";
import { write16 } from "../net/wire.ts";
import { latin1, rangesIn, redact } from "./redaction.ts";

const headerBytes = 8;

/** Overwrites matches in the payload of a packet. Returns whether there were any. */
export function redactPacket(packet: Uint8Array, patterns: readonly RegExp[]): boolean {
  const view = new PacketView();
  if (!view.parse(packet, 0, packet.length)) return false;
  const { protocol, transportAt, fragmentOffset, moreFragments, totalBytes } = view;
  const hasHeader = fragmentOffset === 0 && isChecked(protocol);
  const payload = packet.subarray(transportAt + (hasHeader ? headerBytes : 0), totalBytes);
  const ranges = rangesIn(latin1(payload), patterns);
  if (ranges.length === 0) return false;
  redact(payload, 0, ranges);
  // The checksum of a fragmented datagram also covers its other fragments.
  if (hasHeader && !moreFragments) fixChecksum(packet, view);
  return true;
}

function isChecked(protocol: number): boolean {
  return protocol === IPPROTO_UDP || protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6;
}

function fixChecksum(packet: Uint8Array, view: PacketView): void {
  const { protocol, transportAt, totalBytes, family, sourceAt } = view;
  const lengthBytes = totalBytes - transportAt;
  const at = transportAt + (protocol === IPPROTO_UDP ? 6 : 2);
  write16(packet, at, 0);
  const addressBytes = addressBytesOf(family);
  const pseudo =
    protocol === IPPROTO_ICMP
      ? 0
      : pseudoHeaderSum(packet, sourceAt, addressBytes, protocol, lengthBytes);
  const total = sum(packet, transportAt, lengthBytes, pseudo);
  write16(packet, at, protocol === IPPROTO_UDP ? checksumToSend(total) : complement(total));
}
