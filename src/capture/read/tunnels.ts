/**
 * Finds the packet inside a tunnel: VXLAN, Geneve and GTP-U over UDP; GRE (with ERSPAN, which
 * mirror ports send), IP in IP and 6in4. So a capture from a cluster's node shows the connections
 * of its pods.
 */
import { destinationPortAt, IPPROTO_UDP } from "../../net/packet.ts";
import { read16, read8 } from "../../net/wire.ts";
import type { IpPacket } from "./ip-packet.ts";
import type { LinkView } from "./link-layer.ts";

const IPPROTO_IPIP = 4;
const IPPROTO_IPV6 = 41;
const IPPROTO_GRE = 47;

const udpHeaderBytes = 8;
/** RFC 7348's port, and the one that Linux uses by default. */
const vxlanPorts: ReadonlySet<number> = new Set([4789, 8472]);
const vxlanHeaderBytes = 8;
/** RFC 7348: the I flag is set. Reserved bits are ignored, because extensions use them. */
const vxlanFlag = 0x08;
const genevePort = 6081;
const geneveHeaderBytes = 8;
const etherIpv4 = 0x0800;
const etherIpv6 = 0x86dd;
const transparentEthernet = 0x6558;
/** 3GPP TS 29.281: mobile networks carry their users' packets in GTP-U. */
const gtpPort = 2152;
const gtpHeaderBytes = 8;
/** Version 1, protocol type GTP. */
const gtpVersion = 0x30;
const gtpUserPacket = 0xff;
const gtpHasOptions = 0x07;
const gtpHasExtension = 0x04;
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
    return (read8(bytes, at) & vxlanFlag) === 0 ? -1 : frame(at + vxlanHeaderBytes);
  if (port === gtpPort) return inGtp(bytes, at, endAt);
  if (port !== genevePort || read8(bytes, at) >>> 6 !== 0) return -1;
  const innerAt = at + geneveHeaderBytes + (read8(bytes, at) & 0x3f) * 4;
  const type = read16(bytes, at + 2);
  if (type === etherIpv4 || type === etherIpv6) return innerAt < endAt ? innerAt : -1;
  return type === transparentEthernet ? frame(innerAt) : -1;
}

/** Skips the optional fields, and the extension headers whose types form a chain. */
function inGtp(bytes: Uint8Array, gtpAt: number, endAt: number): number {
  const flags = read8(bytes, gtpAt);
  if ((flags & 0xf0) !== gtpVersion || read8(bytes, gtpAt + 1) !== gtpUserPacket) return -1;
  let at = gtpAt + gtpHeaderBytes;
  if ((flags & gtpHasOptions) !== 0) {
    let next = (flags & gtpHasExtension) === 0 ? 0 : read8(bytes, at + 3);
    at += 4;
    while (next !== 0 && at < endAt) {
      const extensionBytes = 4 * read8(bytes, at);
      if (extensionBytes === 0 || at + extensionBytes > endAt) return -1;
      at += extensionBytes;
      next = read8(bytes, at - 1);
    }
  }
  const version = at < endAt ? read8(bytes, at) >>> 4 : 0;
  return version === 4 || version === 6 ? at : -1;
}

function inGre(bytes: Uint8Array, greAt: number, frame: (at: number) => number): number {
  const flags = read16(bytes, greAt);
  const type = read16(bytes, greAt + 2);
  if ((flags & 7) !== 0) return -1;
  const optional = [GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE].filter((flag) => (flags & flag) !== 0);
  const at = greAt + 4 + 4 * optional.length;
  if (type === etherIpv4 || type === etherIpv6) return at;
  if (type === transparentEthernet) return frame(at);
  // Type II has a sequence number and a header; type I has neither.
  if (type === erspan) return frame((flags & GRE_SEQUENCE) === 0 ? at : at + erspanHeaderBytes);
  return -1;
}
