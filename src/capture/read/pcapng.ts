/**
 * Reads pcapng (draft-ietf-opsawg-pcapng): several sections of either byte order, several
 * interfaces, any time resolution, name resolution and decryption secrets. Unknown blocks and
 * options are skipped.
 */
import type { ByteQueue } from "./byte-queue.ts";
import { type CapturedPacket, type CaptureNote, CaptureProblem } from "./packet.ts";
import { maxCapturedBytes } from "./pcap.ts";
import { noResolution, type Resolution, resolutionOf, splitTime } from "./resolution.ts";

const Block = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  /** Obsolete, but some programs still write it. */
  packet: 2,
  simplePacket: 3,
  nameResolution: 4,
  enhancedPacket: 6,
  decryptionSecrets: 10,
} as const;

const byteOrderMagic = 0x1a2b3c4d;
const frameBytes = 12;
/** The longest packet, with room for options and headers. */
const maxBlockBytes = maxCapturedBytes + (1 << 20);
const ifTsresol = 9;
const ifTsoffset = 14;
/** The secrets type of a TLS key log, "TLSK". */
const tlsKeyLog = 0x544c534b;

interface Interface {
  readonly linkType: number;
  readonly resolution: Resolution;
  /** The snapshot length, or 0 for none. */
  readonly snapBytes: number;
}

/** Reads the packets of one file. */
export class PcapngReader {
  readonly #queue: ByteQueue;
  readonly #onNote: (note: CaptureNote) => void;
  #littleEndian = true;
  #hasSection = false;
  /** The interfaces of the current section. */
  #interfaces: Interface[] = [];
  /** The number of interfaces in earlier sections. */
  #earlierInterfaces = 0;

  constructor(queue: ByteQueue, onNote: (note: CaptureNote) => void) {
    this.#queue = queue;
    this.#onNote = onNote;
  }

  /** Fills `packet` with the next one. Returns false if more bytes are needed. */
  next(packet: CapturedPacket): boolean {
    const queue = this.#queue;
    for (;;) {
      if (queue.length < frameBytes) return false;
      const type = this.#type();
      const totalBytes = queue.view.getUint32(queue.at + 4, this.#littleEndian);
      if (totalBytes % 4 !== 0 || totalBytes < frameBytes || totalBytes > maxBlockBytes)
        throw this.#problem(`a block claims to be ${totalBytes} bytes long`);
      if (queue.length < totalBytes) return false;
      const { at } = queue;
      if (queue.view.getUint32(at + totalBytes - 4, this.#littleEndian) !== totalBytes)
        throw this.#problem("the two lengths of a block disagree");
      const isPacket = this.#read(type, at, totalBytes, packet);
      queue.take(totalBytes);
      if (isPacket) return true;
    }
  }

  /** The type of the next block. A section header sets the byte order before it is read. */
  #type(): number {
    const { view, at } = this.#queue;
    const type = view.getUint32(at, this.#littleEndian);
    if (type !== Block.sectionHeader) {
      if (this.#hasSection) return type;
      throw this.#problem("it does not begin with a section header");
    }
    const magic = view.getUint32(at + 8, true);
    if (magic !== byteOrderMagic && view.getUint32(at + 8, false) !== byteOrderMagic)
      throw this.#problem("a section has no byte-order magic");
    this.#littleEndian = magic === byteOrderMagic;
    return type;
  }

  #read(type: number, at: number, totalBytes: number, packet: CapturedPacket): boolean {
    const end = at + totalBytes - 4;
    switch (type) {
      case Block.sectionHeader:
        this.#hasSection = true;
        this.#earlierInterfaces += this.#interfaces.length;
        this.#interfaces = [];
        return false;
      case Block.interfaceDescription:
        this.#readInterface(at, end);
        return false;
      case Block.enhancedPacket:
        return this.#readEnhanced(at, end, packet);
      case Block.simplePacket:
        return this.#readSimple(at, end, packet);
      case Block.packet:
        return this.#readObsolete(at, end, packet);
      case Block.nameResolution:
        this.#readNames(at + 8, end);
        return false;
      case Block.decryptionSecrets:
        this.#readSecrets(at, end);
        return false;
      default:
        return false;
    }
  }

  #readInterface(at: number, end: number): void {
    const { view } = this.#queue;
    if (end < at + 16) throw this.#problem("an interface is too short");
    let resolution = 6;
    let offsetSeconds = 0;
    this.#eachOption(at + 16, end, (code, valueAt, lengthBytes) => {
      if (code === ifTsresol && lengthBytes >= 1) resolution = view.getUint8(valueAt);
      if (code === ifTsoffset && lengthBytes >= 8)
        offsetSeconds = Number(view.getBigInt64(valueAt, this.#littleEndian));
    });
    this.#interfaces.push({
      linkType: view.getUint16(at + 8, this.#littleEndian),
      resolution: resolutionOf(resolution, offsetSeconds),
      snapBytes: view.getUint32(at + 12, this.#littleEndian),
    });
  }

  #readEnhanced(at: number, end: number, packet: CapturedPacket): boolean {
    if (end < at + 28) throw this.#problem("a packet block is too short");
    const { view } = this.#queue;
    const index = view.getUint32(at + 8, this.#littleEndian);
    this.#fillTime(packet, index, at + 12);
    return this.#fill(packet, index, at + 28, end, this.#u32(at + 20), this.#u32(at + 24));
  }

  #readObsolete(at: number, end: number, packet: CapturedPacket): boolean {
    if (end < at + 28) throw this.#problem("a packet block is too short");
    const index = this.#queue.view.getUint16(at + 8, this.#littleEndian);
    this.#fillTime(packet, index, at + 12);
    return this.#fill(packet, index, at + 28, end, this.#u32(at + 20), this.#u32(at + 24));
  }

  /**
   * A packet on the first interface without a time of its own: it gets the previous packet's time.
   */
  #readSimple(at: number, end: number, packet: CapturedPacket): boolean {
    if (end < at + 12) throw this.#problem("a packet block is too short");
    const originalBytes = this.#u32(at + 8);
    const snapBytes = this.#interfaces[0]?.snapBytes ?? 0;
    const cutBytes = snapBytes === 0 ? originalBytes : Math.min(originalBytes, snapBytes);
    const capturedBytes = Math.min(cutBytes, end - at - 12);
    return this.#fill(packet, 0, at + 12, end, capturedBytes, originalBytes);
  }

  #fillTime(packet: CapturedPacket, index: number, at: number): void {
    const resolution = this.#interfaces[index]?.resolution ?? noResolution;
    splitTime(this.#u32(at), this.#u32(at + 4), resolution, packet);
  }

  #fill(
    packet: CapturedPacket,
    index: number,
    at: number,
    end: number,
    capturedBytes: number,
    originalBytes: number,
  ): boolean {
    const own = this.#interfaces[index];
    if (own === undefined) throw this.#problem("a packet has an unknown interface");
    if (capturedBytes > end - at) throw this.#problem("a packet is longer than its block");
    packet.linkType = own.linkType;
    packet.interfaceIndex = this.#earlierInterfaces + index;
    packet.bytes = this.#queue.bytes;
    packet.at = at;
    packet.capturedBytes = capturedBytes;
    packet.originalBytes = Math.max(capturedBytes, originalBytes);
    return true;
  }

  /**
   * Records of an address and its zero-terminated names (section 4.5): type 1 is IPv4, 2 is IPv6.
   */
  #readNames(at: number, end: number): void {
    const { bytes } = this.#queue;
    this.#eachOption(at, end, (type, valueAt, lengthBytes) => {
      const addressBytes = type === 1 ? 4 : 16;
      if ((type !== 1 && type !== 2) || lengthBytes <= addressBytes) return;
      const text = bytes.subarray(valueAt + addressBytes, valueAt + lengthBytes);
      const name = new TextDecoder().decode(text).split("\0")[0] ?? "";
      const address = bytes.slice(valueAt, valueAt + addressBytes);
      if (name !== "") this.#onNote({ type: "name", address, name });
    });
  }

  #readSecrets(at: number, end: number): void {
    if (end < at + 16 || this.#u32(at + 8) !== tlsKeyLog) return;
    const lengthBytes = Math.min(this.#u32(at + 12), end - at - 16);
    const text = this.#queue.bytes.slice(at + 16, at + 16 + lengthBytes);
    this.#onNote({ type: "tlsKeys", text });
  }

  #eachOption(
    from: number,
    end: number,
    take: (code: number, valueAt: number, lengthBytes: number) => void,
  ): void {
    const { view } = this.#queue;
    for (let at = from; at + 4 <= end;) {
      const code = view.getUint16(at, this.#littleEndian);
      const lengthBytes = view.getUint16(at + 2, this.#littleEndian);
      if (code === 0 || at + 4 + lengthBytes > end) return;
      take(code, at + 4, lengthBytes);
      at += 4 + ((lengthBytes + 3) & ~3);
    }
  }

  #u32(at: number): number {
    return this.#queue.view.getUint32(at, this.#littleEndian);
  }

  #problem(what: string): CaptureProblem {
    return new CaptureProblem(what, this.#queue.position);
  }
}
