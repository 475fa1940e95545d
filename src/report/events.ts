/** What an event is called. */
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

/** The words for the kinds, as one filters by them. */
export const kindWords: Readonly<Record<RecordKind, string>> = {
  [RecordKind.connect]: "connect",
  [RecordKind.accept]: "accept",
  [RecordKind.refuse]: "refuse",
  [RecordKind.data]: "data",
  [RecordKind.end]: "end",
  [RecordKind.reset]: "reset",
  [RecordKind.packet]: "packet",
};

/** An event in a few words, without what was sent: of `lengthBytes`, on a connection to `serverPort`. */
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

/** Those that are likely to be met. */
const protocols: Readonly<Record<number, string>> = {
  [IPPROTO_ICMP]: "ICMP",
  [IPPROTO_ICMPV6]: "ICMPv6",
  [IPPROTO_IGMP]: "IGMP",
  [IPPROTO_UDP]: "UDP",
};

/** What a whole packet is: `UDP 5353 → 53`. */
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
