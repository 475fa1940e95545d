/**
 * Trains of UDP datagrams: what a kernel hands over in one piece where a process sends many datagrams at
 * once (UDP_SEGMENT, udp(7)). It is one packet with one header, too long for the wire, and the size of which
 * the datagrams are; the last may be shorter. Here the datagrams are taken out of it one by one, as the
 * kernel itself would put them on the wire (net/ipv4/udp_offload.c and af_inet.c, inet_gso_segment).
 */
import { checksumToSend, complement, pseudoHeaderSum, sum } from "./checksum.ts";
import { addressBytesOf } from "./address.ts";
import { IPPROTO_UDP, ipv4ChecksumOffset, ipv6HeaderBytes, type PacketView } from "./packet.ts";
import { read16, write16 } from "./wire.ts";

const udpHeaderBytes = 8;
const udpLengthOffset = 4;
const udpChecksumOffset = 6;

/** Reads one train after the other; owns nothing of them. */
export class DatagramTrain {
  #bytes: Uint8Array = new Uint8Array();
  #view: PacketView | undefined;
  #headerBytes = 0;
  #payloadBytes = 0;
  #datagramBytes = 0;
  /** How many datagrams it has. */
  count = 0;

  /**
   * Looks at the parsed packet in `bytes`, whose datagrams carry `datagramBytes` each. False if it is no train:
   * then it cannot be delivered, either.
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

  /** Writes the `index`-th datagram, a whole IP packet with its checksums, to `out`, and returns its length. */
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

/** The length, and the identification, which counts up from datagram to datagram. */
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
