/**
 * Splits trains of UDP datagrams. When a process sends many datagrams at once (UDP_SEGMENT,
 * udp(7)), the kernel hands them over as one oversized packet with a single header and a segment
 * size; the last datagram may be shorter. The split packets equal those that the kernel would put
 * on the wire (inet_gso_segment in net/ipv4/af_inet.c, net/ipv4/udp_offload.c).
 */
import { checksumToSend, complement, pseudoHeaderSum, sum } from "./checksum.ts";
import { addressBytesOf } from "./address.ts";
import { IPPROTO_UDP, ipv4ChecksumOffset, ipv6HeaderBytes, type PacketView } from "./packet.ts";
import { read16, write16 } from "./wire.ts";

const udpHeaderBytes = 8;
const udpLengthOffset = 4;
const udpChecksumOffset = 6;

/** A reusable reader of trains. It keeps references into the caller's buffer, not copies. */
export class DatagramTrain {
  #bytes: Uint8Array = new Uint8Array();
  #view: PacketView | undefined;
  #headerBytes = 0;
  #payloadBytes = 0;
  #datagramBytes = 0;
  /** The number of datagrams. */
  count = 0;

  /**
   * Takes a parsed packet in `bytes` with datagrams of `datagramBytes` each. Returns false if it is
   * not a train, in which case nobody can deliver it.
   */
  parse(bytes: Uint8Array, view: PacketView, datagramBytes: number): boolean {
    const headerBytes = view.transportAt - view.headerAt + udpHeaderBytes;
    const payloadBytes = view.totalBytes - headerBytes;
    this.count = 0;
    if (view.protocol !== IPPROTO_UDP || view.fragmentOffset !== 0 || view.moreFragments)
      return false;
    if (datagramBytes === 0 || payloadBytes <= 0) return false;
    this.#bytes = bytes;
    this.#view = view;
    this.#headerBytes = headerBytes;
    this.#payloadBytes = payloadBytes;
    this.#datagramBytes = datagramBytes;
    this.count = Math.ceil(payloadBytes / datagramBytes);
    return true;
  }

  /** Writes datagram `index` to `out` as an IP packet with checksums, and returns its length. */
  write(out: Uint8Array, outAt: number, index: number): number {
    const view = this.#view as PacketView;
    const from = index * this.#datagramBytes;
    const payloadBytes = Math.min(this.#datagramBytes, this.#payloadBytes - from);
    const headerBytes = this.#headerBytes;
    const { headerAt } = view;
    const payloadAt = headerAt + headerBytes + from;
    out.set(this.#bytes.subarray(headerAt, headerAt + headerBytes), outAt);
    out.set(this.#bytes.subarray(payloadAt, payloadAt + payloadBytes), outAt + headerBytes);
    const lengthBytes = headerBytes + payloadBytes;
    const ipHeaderBytes = view.transportAt - headerAt;
    if (view.family === 4) writeIpv4Fields(out, outAt, ipHeaderBytes, lengthBytes, index);
    else write16(out, outAt + 4, lengthBytes - ipv6HeaderBytes);
    const udpAt = outAt + ipHeaderBytes;
    const sourceAt = outAt + view.sourceAt - headerAt;
    writeUdpFields(
      out,
      udpAt,
      udpHeaderBytes + payloadBytes,
      sourceAt,
      addressBytesOf(view.family),
    );
    return lengthBytes;
  }
}

/** Writes the length and the identification, which increases by one per datagram. */
function writeIpv4Fields(
  out: Uint8Array,
  at: number,
  headerBytes: number,
  lengthBytes: number,
  index: number,
): void {
  write16(out, at + 2, lengthBytes);
  write16(out, at + 4, read16(out, at + 4) + index);
  write16(out, at + ipv4ChecksumOffset, 0);
  write16(out, at + ipv4ChecksumOffset, complement(sum(out, at, headerBytes)));
}

function writeUdpFields(
  out: Uint8Array,
  at: number,
  lengthBytes: number,
  sourceAt: number,
  addressBytes: number,
): void {
  write16(out, at + udpLengthOffset, lengthBytes);
  write16(out, at + udpChecksumOffset, 0);
  const pseudoHeader = pseudoHeaderSum(out, sourceAt, addressBytes, IPPROTO_UDP, lengthBytes);
  write16(out, at + udpChecksumOffset, checksumToSend(sum(out, at, lengthBytes, pseudoHeader)));
}
