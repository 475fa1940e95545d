/**
 * Parses IP packets in captures. It is more lenient than net/packet.ts, which decides what may
 * cross a switch. The snapshot length may truncate a packet, and a packet that the network card
 * will segment (TSO, BIG TCP) may give its length as zero. Checksums are ignored: with offload they
 * are wrong in every capture on the sender.
 */
import {
  IpFields,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  ipv4HeaderBytes,
  ipv6HeaderBytes,
  isExtensionHeader,
} from "../../net/ip-fields.ts";
import { IPPROTO_TCP, tcpHeaderBytes, tcpHeaderBytesAt } from "../../net/packet.ts";
import { read16, read32, read8 } from "../../net/wire.ts";

/** The authentication header, in which lengths count units of 4 bytes (RFC 4302). */
const IPPROTO_AH = 51;
/** RFC 2675: the option with the length of a packet above 64 KiB. */
const jumboOption = 0xc2;

/** The layout of a packet. Reuse one object for all packets; its fields are valid after `parse`. */
export class IpPacket extends IpFields {
  /** The end of the packet on the wire, which may lie beyond the captured bytes. */
  endAt = 0;
  /** The end of the captured part, without the padding of a short frame. */
  capturedEndAt = 0;
  /** Distinguishes the fragments of different packets. */
  identification = 0;
  /** The header gave the length as 0, so the captured length was used. */
  hasNoLength = false;

  /**
   * Parses the packet at `at`, with `capturedBytes` bytes captured of `originalBytes` on the wire.
   * Returns false if not even its IP header is there.
   */
  parse(bytes: Uint8Array, at: number, capturedBytes: number, originalBytes: number): boolean {
    const version = read8(bytes, at) >>> 4;
    this.hasNoLength = false;
    if (version === 4) return this.#parseIpv4(bytes, at, capturedBytes, originalBytes);
    if (version === 6) return this.#parseIpv6(bytes, at, capturedBytes, originalBytes);
    return false;
  }

  /** Whether the whole TCP header was captured. */
  hasTcpHeader(bytes: Uint8Array): boolean {
    const heldBytes = this.capturedEndAt - this.transportAt;
    if (this.protocol !== IPPROTO_TCP || heldBytes < tcpHeaderBytes) return false;
    const headerBytes = tcpHeaderBytesAt(bytes, this.transportAt);
    return headerBytes >= tcpHeaderBytes && this.transportAt + headerBytes <= this.endAt;
  }

  get isFragment(): boolean {
    return this.fragmentOffset > 0 || this.moreFragments;
  }

  #parseIpv4(bytes: Uint8Array, at: number, capturedBytes: number, originalBytes: number): boolean {
    const headerBytes = (read8(bytes, at) & 0x0f) * 4;
    if (headerBytes < ipv4HeaderBytes || capturedBytes < headerBytes) return false;
    const totalBytes = read16(bytes, at + 2);
    this.readIpv4(bytes, at);
    this.identification = read16(bytes, at + 4);
    return this.#setEnd(at, totalBytes, headerBytes, capturedBytes, originalBytes);
  }

  #parseIpv6(bytes: Uint8Array, at: number, capturedBytes: number, originalBytes: number): boolean {
    if (capturedBytes < ipv6HeaderBytes) return false;
    const payloadBytes = read16(bytes, at + 4);
    this.readIpv6(bytes, at);
    const totalBytes = payloadBytes === 0 ? 0 : ipv6HeaderBytes + payloadBytes;
    if (!this.#setEnd(at, totalBytes, ipv6HeaderBytes, capturedBytes, originalBytes)) return false;
    return this.#walkExtensionHeaders(bytes);
  }

  #setEnd(
    at: number,
    totalBytes: number,
    headerBytes: number,
    capturedBytes: number,
    originalBytes: number,
  ): boolean {
    this.hasNoLength = totalBytes === 0;
    const wireBytes = this.hasNoLength ? originalBytes : totalBytes;
    this.endAt = at + wireBytes;
    this.capturedEndAt = at + Math.min(capturedBytes, wireBytes);
    return wireBytes >= headerBytes;
  }

  /** Terminates, because each header has at least 8 bytes. */
  #walkExtensionHeaders(bytes: Uint8Array): boolean {
    while (this.fragmentOffset === 0 && isSkipped(this.protocol)) {
      const headerAt = this.transportAt;
      if (headerAt + 8 > this.capturedEndAt) return false;
      if (this.protocol === IPPROTO_FRAGMENT) {
        this.readFragmentHeader(bytes, headerAt);
        this.identification = read32(bytes, headerAt + 4);
        this.transportAt += 8;
      } else {
        const units = read8(bytes, headerAt + 1);
        const headerBytes = this.protocol === IPPROTO_AH ? (units + 2) * 4 : (units + 1) * 8;
        if (this.protocol === IPPROTO_HOPOPTS) this.#readJumbo(bytes, headerAt, headerBytes);
        this.transportAt += headerBytes;
      }
      if (this.transportAt > this.endAt) return false;
      this.protocol = read8(bytes, headerAt);
    }
    return true;
  }

  /** BIG TCP over IPv6 stores the length in an option, if at all. */
  #readJumbo(bytes: Uint8Array, headerAt: number, headerBytes: number): void {
    const end = Math.min(headerAt + headerBytes, this.capturedEndAt);
    for (let at = headerAt + 2; at + 2 <= end;) {
      const type = read8(bytes, at);
      if (type === jumboOption && at + 6 <= end) {
        const endAt = this.headerAt + ipv6HeaderBytes + read32(bytes, at + 2);
        if (endAt >= this.capturedEndAt) return;
        this.endAt = endAt;
        this.capturedEndAt = endAt;
        return;
      }
      at += type === 0 ? 1 : 2 + read8(bytes, at + 1);
    }
  }
}

function isSkipped(protocol: number): boolean {
  return isExtensionHeader(protocol) || protocol === IPPROTO_AH;
}
