/**
 * Reassembles fragmented IP packets (RFC 791, RFC 8200). As in the Linux kernel, overlapping
 * fragments with different bytes discard the packet, and incomplete packets expire.
 */
import { addressBytesOf } from "../../net/address.ts";
import { ipHeaderBytesOf } from "../../net/ip-header.ts";
import { write16 } from "../../net/wire.ts";
import type { IpPacket } from "./ip-packet.ts";

/** The lifetime of an incomplete packet, as in net.ipv4.ipfrag_time. */
const patienceSeconds = 30;
/** The limit of held bytes, as in net.ipv4.ipfrag_high_thresh. */
const heldBytesMax: number = 4 << 20;
const longestPayloadBytes = 65_535;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Pending {
  readonly pieces: Piece[];
  /** The IP header of the first fragment, without extension headers. */
  header: Uint8Array | undefined;
  protocol: number;
  /** Known once the last fragment has arrived. */
  totalBytes: number | undefined;
  heldBytes: number;
  readonly sinceSeconds: number;
}

/** Holds fragments until their packets are complete. Memory is bounded. */
export class Defragmenter {
  readonly #pending = new Map<string, Pending>();
  #heldBytes = 0;
  /** The numbers of reassembled and of expired packets. */
  readonly counts = { whole: 0, incomplete: 0 };

  /**
   * Takes a fragment, all bytes of which must have been captured. Returns the whole packet, from
   * its IP header on, if this was the last missing fragment.
   */
  add(bytes: Uint8Array, packet: IpPacket, seconds: number): Uint8Array | undefined {
    const key = keyOf(bytes, packet);
    const pending = this.#pendingFor(key, seconds);
    const offset = packet.fragmentOffset;
    const piece = bytes.slice(packet.transportAt, packet.capturedEndAt);
    if (offset + piece.length > longestPayloadBytes) return undefined;
    if (pending.pieces.some((one) => one.offset === offset && one.bytes.length === piece.length))
      return undefined;
    pending.pieces.push({ offset, bytes: piece });
    pending.heldBytes += piece.length;
    this.#heldBytes += piece.length;
    if (offset === 0) {
      const { headerAt } = packet;
      const headerBytes = packet.family === 4 ? packet.transportAt - headerAt : ipHeaderBytesOf(6);
      pending.header = bytes.slice(headerAt, headerAt + headerBytes);
      pending.protocol = packet.protocol;
    }
    if (!packet.moreFragments) pending.totalBytes = offset + piece.length;
    return this.#finish(key, pending, packet);
  }

  /** Counts the incomplete packets. Call it at the end of the capture. */
  end(): void {
    this.counts.incomplete += this.#pending.size;
    this.#pending.clear();
  }

  #pendingFor(key: string, seconds: number): Pending {
    let pending = this.#pending.get(key);
    if (pending !== undefined && seconds - pending.sinceSeconds > patienceSeconds) {
      this.#forget(key, pending);
      pending = undefined;
    }
    if (pending !== undefined) return pending;
    this.#makeRoom();
    pending = {
      pieces: [],
      header: undefined,
      protocol: 0,
      totalBytes: undefined,
      heldBytes: 0,
      sinceSeconds: seconds,
    };
    this.#pending.set(key, pending);
    return pending;
  }

  /** Drops the oldest packets first: a Map keeps insertion order. */
  #makeRoom(): void {
    for (const [key, pending] of this.#pending) {
      if (this.#heldBytes <= heldBytesMax) return;
      this.#forget(key, pending);
    }
  }

  #forget(key: string, pending: Pending): void {
    this.#pending.delete(key);
    this.#heldBytes -= pending.heldBytes;
    this.counts.incomplete++;
  }

  #finish(key: string, pending: Pending, { family }: IpPacket): Uint8Array | undefined {
    const { header, totalBytes, pieces } = pending;
    if (header === undefined || totalBytes === undefined || pending.heldBytes < totalBytes)
      return undefined;
    const sorted = pieces.toSorted((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { offset, bytes } of sorted) {
      if (offset > end) return undefined;
      if (offset < end) {
        this.#forget(key, pending);
        return undefined;
      }
      end += bytes.length;
    }
    this.#pending.delete(key);
    this.#heldBytes -= pending.heldBytes;
    if (end !== totalBytes) return undefined;
    this.counts.whole++;
    return join(family, header, pending.protocol, sorted, totalBytes);
  }
}

function join(
  family: 4 | 6,
  header: Uint8Array,
  protocol: number,
  pieces: readonly Piece[],
  payloadBytes: number,
): Uint8Array {
  const packet = new Uint8Array(header.length + payloadBytes);
  packet.set(header);
  for (const { offset, bytes } of pieces) packet.set(bytes, header.length + offset);
  if (family === 4) {
    write16(packet, 2, Math.min(packet.length, longestPayloadBytes));
    write16(packet, 6, 0);
  } else {
    write16(packet, 4, payloadBytes);
    packet[6] = protocol;
  }
  return packet;
}

/** RFC 791: the identification is unique for a source, a destination and (IPv4) a protocol. */
function keyOf(bytes: Uint8Array, packet: IpPacket): string {
  const { family, sourceAt, identification } = packet;
  const addresses = bytes.subarray(sourceAt, sourceAt + 2 * addressBytesOf(family));
  const protocol = family === 4 ? packet.protocol : 0;
  return `${identification} ${protocol} ${String.fromCharCode(...addresses)}`;
}
