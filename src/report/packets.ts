/** Describes packets that are not TCP. */
import { formatBytes } from "../base/text.ts";
import { formatAddress } from "../net/address.ts";
import { destinationPortAt, IPPROTO_UDP, PacketView, sourcePortAt } from "../net/packet.ts";
import { decodeDns } from "../protocol/dns.ts";
import { packetLabel } from "./events.ts";

/**
 * A packet as a line of the timeline. The keys that pair questions with answers include the flow.
 */
interface PacketText {
  readonly text: string;
  readonly protocol: string | undefined;
  readonly question: string | undefined;
  readonly answers: string | undefined;
}

const udpHeaderBytes = 8;

/** `packet` begins with its IP header. */
export function describePacket(packet: Uint8Array): PacketText {
  return dnsIn(packet) ?? bare(`${packetLabel(packet)}, ${formatBytes(packet.length)}`);
}

function bare(text: string): PacketText {
  return { text, protocol: undefined, question: undefined, answers: undefined };
}

function dnsIn(packet: Uint8Array): PacketText | undefined {
  const view = new PacketView();
  if (!view.parse(packet, 0, packet.length)) return undefined;
  const { protocol, transportAt, fragmentOffset, totalBytes } = view;
  const from = transportAt + udpHeaderBytes;
  if (protocol !== IPPROTO_UDP || fragmentOffset > 0 || from > totalBytes) return undefined;
  const message = decodeDns(packet.subarray(from, totalBytes));
  if (message === undefined) return undefined;
  const { id, isAnswer, text } = message;
  const [source, destination] = endsOf(packet, view);
  return {
    text,
    protocol: "DNS",
    question: isAnswer ? undefined : `${source} ${destination} ${id}`,
    answers: isAnswer ? `${destination} ${source} ${id}` : undefined,
  };
}

function endsOf(packet: Uint8Array, view: PacketView): readonly [string, string] {
  const { family, sourceAt, destinationAt, transportAt } = view;
  const source = formatAddress(packet, sourceAt, family);
  const destination = formatAddress(packet, destinationAt, family);
  return [
    `${source} ${sourcePortAt(packet, transportAt)}`,
    `${destination} ${destinationPortAt(packet, transportAt)}`,
  ];
}
