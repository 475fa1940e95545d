/** Reads classic pcap (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds. */
import type { ByteQueue } from "./byte-queue.ts";
import { type CapturedPacket, CaptureProblem } from "./packet.ts";

/** Magic numbers, as a little-endian reader sees them. */
const microseconds = 0xa1b2c3d4;
const nanoseconds = 0xa1b23c4d;

export const pcapHeaderBytes = 24;
const recordHeaderBytes = 16;
/**
 * A longer packet is damage. libpcap's own limit for Ethernet is 256 KiB, but BIG TCP packets are
 * longer.
 */
export const maxCapturedBytes: number = 1 << 24;

/**
 * The byte order and resolution indicated by `magic`, read as little-endian; undefined if it is not
 * pcap.
 */
export function pcapVariant(
  magic: number,
): { readonly littleEndian: boolean; readonly nanosecondUnits: number } | undefined {
  const swapped = swap32(magic);
  if (magic === microseconds) return { littleEndian: true, nanosecondUnits: 1000 };
  if (magic === nanoseconds) return { littleEndian: true, nanosecondUnits: 1 };
  if (swapped === microseconds) return { littleEndian: false, nanosecondUnits: 1000 };
  if (swapped === nanoseconds) return { littleEndian: false, nanosecondUnits: 1 };
  return undefined;
}

/** Reads the packets of one file. `queue` holds its first 24 bytes. */
export class PcapReader {
  readonly #queue: ByteQueue;
  readonly #littleEndian: boolean;
  readonly #nanosecondUnits: number;
  readonly #linkType: number;

  constructor(
    queue: ByteQueue,
    variant: { readonly littleEndian: boolean; readonly nanosecondUnits: number },
  ) {
    this.#queue = queue;
    this.#littleEndian = variant.littleEndian;
    this.#nanosecondUnits = variant.nanosecondUnits;
    // The upper bits say whether packets end in an FCS, which the IP length excludes anyway.
    this.#linkType = queue.view.getUint32(queue.at + 20, variant.littleEndian) & 0xffff;
    queue.take(pcapHeaderBytes);
  }

  /** Fills `packet` with the next one. Returns false if more bytes are needed. */
  next(packet: CapturedPacket): boolean {
    const queue = this.#queue;
    if (queue.length < recordHeaderBytes) return false;
    const { view, at } = queue;
    const capturedBytes = view.getUint32(at + 8, this.#littleEndian);
    if (capturedBytes > maxCapturedBytes)
      throw new CaptureProblem(`a packet claims to be ${capturedBytes} bytes long`, queue.position);
    if (queue.length < recordHeaderBytes + capturedBytes) return false;
    const fraction = view.getUint32(at + 4, this.#littleEndian) * this.#nanosecondUnits;
    packet.linkType = this.#linkType;
    packet.interfaceIndex = 0;
    packet.seconds = view.getUint32(at, this.#littleEndian) + Math.floor(fraction / 1e9);
    packet.nanoseconds = fraction % 1e9;
    packet.bytes = queue.bytes;
    packet.at = at + recordHeaderBytes;
    packet.capturedBytes = capturedBytes;
    packet.originalBytes = Math.max(capturedBytes, view.getUint32(at + 12, this.#littleEndian));
    queue.take(recordHeaderBytes + capturedBytes);
    return true;
  }
}

function swap32(value: number): number {
  const swapped =
    (value << 24) | ((value << 8) & 0xff_0000) | ((value >>> 8) & 0xff00) | (value >>> 24);
  return swapped >>> 0;
}
