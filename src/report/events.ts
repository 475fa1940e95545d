/** Names of events. */
import { unreachable } from "../base/assert.ts";
import { formatBytes } from "../base/text.ts";
import { RecordKind } from "../dump/format/schema.ts";
import {
  destinationPortAt,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IGMP,
  IPPROTO_UDP,
  PacketView,
  sourcePortAt,
} from "../net/packet.ts";

/** The word for each kind, as filters use it. */
export const kindWords: Readonly<Record<RecordKind, string>> = {
  [RecordKind.connect]: "connect",
  [RecordKind.accept]: "accept",
  [RecordKind.refuse]: "refuse",
  [RecordKind.data]: "data",
  [RecordKind.end]: "end",
  [RecordKind.reset]: "reset",
  [RecordKind.packet]: "packet",
};

/**
 * Describes an event in a few words, without its bytes: `lengthBytes` of them, on a connection to
 * `serverPort`.
 */
export function eventLabel(kind: RecordKind, lengthBytes: number, serverPort: number): string {
  switch (kind) {
    case RecordKind.connect:
      return `connects to port ${serverPort}`;
    case RecordKind.accept:
      return "accepts";
    case RecordKind.refuse:
      return "refuses";
    case RecordKind.data:
    case RecordKind.packet:
      return formatBytes(lengthBytes);
    case RecordKind.end:
      return "ends its direction";
    case RecordKind.reset:
      return "resets";
    default:
      return unreachable(kind);
  }
}

/** The common protocols. */
const protocols: Readonly<Record<number, string>> = {
  [IPPROTO_ICMP]: "ICMP",
  [IPPROTO_ICMPV6]: "ICMPv6",
  [IPPROTO_IGMP]: "IGMP",
  [IPPROTO_UDP]: "UDP",
};

/** Describes a whole packet: `UDP 5353 → 53`. */
export function packetLabel(packet: Uint8Array): string {
  const view = new PacketView();
  if (!view.parse(packet, 0, packet.length)) return "malformed";
  const { protocol, transportAt, fragmentOffset, totalBytes } = view;
  const name = protocols[protocol] ?? `IP protocol ${protocol}`;
  if (fragmentOffset > 0) return `${name}, a fragment`;
  if (protocol !== IPPROTO_UDP || transportAt + 4 > totalBytes) return name;
  return `${name} ${sourcePortAt(packet, transportAt)} → ${destinationPortAt(packet, transportAt)}`;
}

/** A time since the run's start, to the microsecond: `0.001234 s`. */
export function timeLabel(ns: number): string {
  return `${(ns / 1e9).toFixed(6)} s`;
}
