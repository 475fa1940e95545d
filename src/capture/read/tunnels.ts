/**
 * Finds the packet inside a tunnel: VXLAN and Geneve over UDP; GRE (with ERSPAN, which mirror ports
 * send), IP in IP and 6in4. So a capture from a cluster's node shows the connections of its pods.
 */
import { destinationPortAt, IPPROTO_UDP } from "../../net/packet.ts";
import { read16, read32, read8 } from "../../net/wire.ts";
import type { IpPacket } from "./ip-packet.ts";
import type { LinkView } from "./link-layer.ts";

const IPPROTO_IPIP = 4;
const IPPROTO_IPV6 = 41;
const IPPROTO_GRE = 47;

const udpHeaderBytes = 8;
/** RFC 7348's port, and the one that Linux uses by default. */
const vxlanPorts: ReadonlySet<number> = new Set([4789, 8472]);
const vxlanHeaderBytes = 8;
/** RFC 7348: the I flag alone is set, and the reserved bits are zero. */
const vxlanFlags = 0x0800_0000;
const genevePort = 6081;
const geneveHeaderBytes = 8;
const transparentEthernet = 0x6558;
const erspan = 0x88be;
const erspanHeaderBytes = 8;
const GRE_CHECKSUM = 0x8000;
const GRE_KEY = 0x2000;
const GRE_SEQUENCE = 0x1000;

/**
 * The offset of the inner IP packet, or -1 if `packet` is not a tunnel's. `link` parses inner
 * frames.
 */
export function innerPacketAt(bytes: Uint8Array, packet: IpPacket, link: LinkView): number {
  const { protocol, transportAt, capturedEndAt } = packet;
  if (packet.isFragment) return -1;
  const frame = (at: number): number =>
    link.parseInnerEthernet(bytes, at, capturedEndAt) ? link.at : -1;
  if (protocol === IPPROTO_UDP) return inUdp(bytes, transportAt, capturedEndAt, frame);
  if (protocol === IPPROTO_IPIP || protocol === IPPROTO_IPV6)
    return transportAt < capturedEndAt ? transportAt : -1;
  if (protocol === IPPROTO_GRE) return inGre(bytes, transportAt, frame);
  return -1;
}

function inUdp(
  bytes: Uint8Array,
  udpAt: number,
  endAt: number,
  frame: (at: number) => number,
): number {
  if (udpAt + udpHeaderBytes + vxlanHeaderBytes > endAt) return -1;
  const port = destinationPortAt(bytes, udpAt);
  const at = udpAt + udpHeaderBytes;
  if (vxlanPorts.has(port))
    return read32(bytes, at) === vxlanFlags && read8(bytes, at + 7) === 0
      ? frame(at + vxlanHeaderBytes)
      : -1;
  if (port !== genevePort || read8(bytes, at) >>> 6 !== 0) return -1;
  if (read16(bytes, at + 2) !== transparentEthernet) return -1;
  return frame(at + geneveHeaderBytes + (read8(bytes, at) & 0x3f) * 4);
}

function inGre(bytes: Uint8Array, greAt: number, frame: (at: number) => number): number {
  const flags = read16(bytes, greAt);
  const type = read16(bytes, greAt + 2);
  if ((flags & 7) !== 0) return -1;
  const optional = [GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE].filter((flag) => (flags & flag) !== 0);
  const at = greAt + 4 + 4 * optional.length;
  if (type === 0x0800 || type === 0x86dd) return at;
  if (type === transparentEthernet) return frame(at);
  // Type II has a sequence number and a header; type I has neither.
  if (type === erspan) return frame((flags & GRE_SEQUENCE) === 0 ? at : at + erspanHeaderBytes);
  return -1;
}
