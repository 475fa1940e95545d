/**
 * Finds the IP packet in a captured frame. It removes the layers before it one by one (VLAN tags,
 * MPLS labels, PPPoE, "cooked" headers). It allocates nothing.
 */
import { read16, read8 } from "../../net/wire.ts";
import { type CapturedPacket, LinkType } from "./packet.ts";

/** Ethernet types (IEEE 802 numbers). */
const EtherType = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  serviceVlan: 0x88a8,
  oldServiceVlan: 0x9100,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  /** IEEE 802.1ah: a whole Ethernet frame behind a tag. */
  backbone: 0x88e7,
  /** IEEE 802.1BR, and its forerunner. */
  portExtender: 0x893f,
  vnTag: 0x8926,
} as const;

/** Smaller values are a length: IEEE 802.3 with an LLC header. */
const leastEtherType = 0x600;
const ethernetHeaderBytes = 14;
const vlanTagBytes = 4;
const backboneTagBytes = 4;
const portExtenderTagBytes = 8;
const vnTagBytes = 6;
const mplsLabelBytes = 4;
const pppoeHeaderBytes = 6;
const sllHeaderBytes = 16;
const sll2HeaderBytes = 20;
const nflogHeaderBytes = 4;
/** The TLV of an NFLOG header with the packet (NFULA_PAYLOAD). */
const nflogPayload = 9;
const pppIpv4 = 0x21;
const pppIpv6 = 0x57;
/** "Outgoing", in the packet type of a cooked header. */
const sllOutgoing = 4;
const sendTwice = 0x1_0000;

const linkTypes: ReadonlySet<number> = new Set(Object.values(LinkType));

/** Whether frames of this link type can be read. */
export function isReadable(linkType: number): boolean {
  return linkTypes.has(linkType);
}

/** The position of the IP packet in a captured frame. Reuse one object for all packets. */
export class LinkView {
  /** The offset of the IP header; only valid after {@link LinkView.parse} returned true. */
  at = 0;
  /** The number of captured bytes from there on. */
  capturedBytes = 0;
  /** Distinguishes two sightings of one packet: the interface, and whether it was outgoing. */
  sighting = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  /**
   * Whether the frame holds an IP packet. It returns false, and never throws, for any other frame.
   */
  parse(packet: CapturedPacket): boolean {
    this.#bytes = packet.bytes;
    this.#end = packet.at + packet.capturedBytes;
    this.sighting = packet.interfaceIndex;
    return this.#finish(this.#network(packet.linkType, packet.at));
  }

  /** The same for an Ethernet frame inside a tunnel. */
  parseInnerEthernet(bytes: Uint8Array, at: number, end: number): boolean {
    this.#bytes = bytes;
    this.#end = end;
    return this.#finish(this.#ethernet(at));
  }

  #finish(at: number): boolean {
    if (at < 0 || at >= this.#end) return false;
    this.at = at;
    this.capturedBytes = this.#end - at;
    const version = read8(this.#bytes, at) >>> 4;
    return version === 4 || version === 6;
  }

  /** The offset of the network layer, or -1. */
  #network(linkType: number, at: number): number {
    switch (linkType) {
      case LinkType.ethernet:
        return this.#ethernet(at);
      case LinkType.null:
      case LinkType.loop:
        return at + 4;
      case LinkType.raw:
      case LinkType.rawOfBsd:
      case LinkType.rawOfOpenBsd:
      case LinkType.ipv4:
      case LinkType.ipv6:
        return at;
      case LinkType.linuxSll:
        if (read16(this.#bytes, at) === sllOutgoing) this.sighting += sendTwice;
        return this.#payload(read16(this.#bytes, at + 14), at + sllHeaderBytes);
      case LinkType.linuxSll2:
        return this.#cooked2(at);
      case LinkType.nflog:
        return this.#nflog(at);
      case LinkType.ppp:
      case LinkType.pppHdlc:
        return this.#ppp(at);
      case LinkType.pppEthernet:
        return this.#ppp(at + pppoeHeaderBytes);
      case LinkType.cHdlc:
        return this.#payload(read16(this.#bytes, at + 2), at + 4);
      default:
        return -1;
    }
  }

  #ethernet(at: number): number {
    if (at + ethernetHeaderBytes > this.#end) return -1;
    return this.#payload(read16(this.#bytes, at + 12), at + ethernetHeaderBytes);
  }

  #cooked2(at: number): number {
    // The interface's index has 4 bytes; the lower half suffices to distinguish interfaces.
    this.sighting += (read16(this.#bytes, at + 6) + 1) * 2 * sendTwice;
    if (read8(this.#bytes, at + 10) === sllOutgoing) this.sighting += sendTwice;
    return this.#payload(read16(this.#bytes, at), at + sll2HeaderBytes);
  }

  /** Follows an Ethernet type past all tags. It terminates, because each tag has a few bytes. */
  #payload(firstType: number, firstAt: number): number {
    let type = firstType;
    let at = firstAt;
    while (at < this.#end) {
      switch (type) {
        case EtherType.ipv4:
        case EtherType.ipv6:
          return at;
        case EtherType.vlan:
        case EtherType.serviceVlan:
        case EtherType.oldServiceVlan:
          type = read16(this.#bytes, at + 2);
          at += vlanTagBytes;
          break;
        case EtherType.portExtender:
          type = read16(this.#bytes, at + 6);
          at += portExtenderTagBytes;
          break;
        case EtherType.vnTag:
          type = read16(this.#bytes, at + 4);
          at += vnTagBytes;
          break;
        case EtherType.backbone:
          return this.#ethernet(at + backboneTagBytes);
        case EtherType.mpls:
        case EtherType.mplsMulticast:
          return this.#mpls(at);
        case EtherType.pppoeSession:
          return this.#ppp(at + pppoeHeaderBytes);
        default:
          return type < leastEtherType ? this.#llc(at) : -1;
      }
    }
    return -1;
  }

  /** Skips labels up to the bottom-of-stack bit. IP follows, or Ethernet with a control word. */
  #mpls(firstAt: number): number {
    let at = firstAt;
    while (at + mplsLabelBytes <= this.#end) {
      const isBottom = (read8(this.#bytes, at + 2) & 1) !== 0;
      at += mplsLabelBytes;
      if (!isBottom) continue;
      const nibble = read8(this.#bytes, at) >>> 4;
      // RFC 4385: a pseudowire's control word begins with a zero nibble.
      return nibble === 0 ? this.#ethernet(at + 4) : at;
    }
    return -1;
  }

  /** RFC 1042: SNAP carries an Ethernet type. */
  #llc(at: number): number {
    const isSnap = read16(this.#bytes, at) === 0xaaaa && read8(this.#bytes, at + 2) === 3;
    return isSnap ? this.#payload(read16(this.#bytes, at + 6), at + 8) : -1;
  }

  /** RFC 1661 and 1662: address and control are optional, and the protocol may take one byte. */
  #ppp(firstAt: number): number {
    let at = firstAt;
    if (read16(this.#bytes, at) === 0xff03) at += 2;
    const first = read8(this.#bytes, at);
    const isShort = (first & 1) !== 0;
    const protocol = isShort ? first : read16(this.#bytes, at);
    at += isShort ? 1 : 2;
    return protocol === pppIpv4 || protocol === pppIpv6 ? at : -1;
  }

  /** TLVs of length and type in the capturing machine's byte order, which is little-endian. */
  #nflog(firstAt: number): number {
    const bytes = this.#bytes;
    let at = firstAt + nflogHeaderBytes;
    while (at + 4 <= this.#end) {
      const lengthBytes = read8(bytes, at) | (read8(bytes, at + 1) << 8);
      const type = (read8(bytes, at + 2) | (read8(bytes, at + 3) << 8)) & 0x7fff;
      if (lengthBytes < 4) return -1;
      if (type === nflogPayload) {
        this.#end = Math.min(this.#end, at + lengthBytes);
        return at + 4;
      }
      at += (lengthBytes + 3) & ~3;
    }
    return -1;
  }
}
