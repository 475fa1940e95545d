/** Builds packets and capture files, with whatever faults a test asks for. */
import { TCP_ACK } from "../../../src/net/packet.ts";

export interface TcpFields {
  readonly from?: string;
  readonly to?: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  /** What the IP header says instead of the true length. */
  readonly totalBytes?: number;
}

const nothing = new Uint8Array(0);

function addressBytes(text: string): number[] {
  return text.split(".").map(Number);
}

/** An IPv4 packet. `fragment` is the flags and the offset as the header has them. */
export function ipv4(
  from: string,
  to: string,
  protocol: number,
  payload: Uint8Array,
  { totalBytes = 20 + payload.length, identification = 1, fragment = 0x4000 } = {},
): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(totalBytes & 0xffff, 2);
  header.writeUInt16BE(identification, 4);
  header.writeUInt16BE(fragment, 6);
  header[8] = 64;
  header[9] = protocol;
  header.set(addressBytes(from), 12);
  header.set(addressBytes(to), 16);
  return Buffer.concat([header, payload]);
}

/** An IPv4 packet with a TCP segment. */
export function tcp({
  from = "10.0.0.1",
  to = "10.0.0.2",
  fromPort,
  toPort,
  sequence,
  acknowledgment,
  flags = acknowledgment === undefined ? 0 : TCP_ACK,
  payload = nothing,
  totalBytes,
}: TcpFields): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(fromPort, 0);
  header.writeUInt16BE(toPort, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE((acknowledgment ?? 0) >>> 0, 8);
  header[12] = 0x50;
  header[13] = flags;
  header.writeUInt16BE(0xffff, 14);
  const segment = Buffer.concat([header, payload]);
  return ipv4(from, to, 6, segment, totalBytes === undefined ? {} : { totalBytes });
}

export function udp(fromPort: number, toPort: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(fromPort, 0);
  header.writeUInt16BE(toPort, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** An Ethernet frame; `tags` stand before the Ethernet type. */
export function ethernet(packet: Uint8Array, tags: readonly number[] = [], type = 0x0800): Buffer {
  const addresses = Buffer.from("02000000000102000000000a", "hex");
  const etherType = Buffer.of(type >>> 8, type & 0xff);
  return Buffer.concat([addresses, Buffer.from(tags), etherType, packet]);
}

export interface FileOptions {
  readonly linkType?: number;
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  readonly snapBytes?: number;
}

/** A frame and when it was captured, in nanoseconds since the epoch. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly atNs: bigint;
}

/** A classic pcap file. */
export function pcapFile(
  frames: readonly Frame[],
  { linkType = 1, littleEndian = true, nanoseconds = true, snapBytes = 1 << 18 }: FileOptions = {},
): Buffer {
  const words = (values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries())
      if (littleEndian) bytes.writeUInt32LE(value, 4 * i);
      else bytes.writeUInt32BE(value, 4 * i);
    return bytes;
  };
  const version = littleEndian ? 0x0004_0002 : 0x0002_0004;
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const header = words([magic, version, 0, 0, snapBytes, linkType]);
  const records = frames.flatMap(({ bytes, atNs }) => {
    const fraction = Number(atNs % 1_000_000_000n);
    const held = bytes.subarray(0, snapBytes);
    return [
      words([
        Number(atNs / 1_000_000_000n),
        nanoseconds ? fraction : Math.floor(fraction / 1000),
        held.length,
        bytes.length,
      ]),
      held,
    ];
  });
  return Buffer.concat([header, ...records]);
}

export interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** Writes the blocks of a pcapng file in one byte order. */
export class PcapngFile {
  readonly #parts: Uint8Array[] = [];
  readonly #littleEndian: boolean;

  constructor(littleEndian = true) {
    this.#littleEndian = littleEndian;
    this.#block(
      0x0a0d0d0a,
      this.words([0x1a2b3c4d]),
      this.#u16(1, 0),
      this.words([0xffffffff, 0xffffffff]),
    );
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  section(other: PcapngFile): this {
    this.#parts.push(other.bytes);
    return this;
  }

  interface(linkType: number, options: readonly Option[] = []): this {
    return this.#block(1, this.#u16(linkType, 0), this.words([1 << 18]), this.#options(options));
  }

  /** `units` is the time in the interface's resolution. */
  packet(index: number, units: bigint, bytes: Uint8Array, originalBytes = bytes.length): this {
    const high = Number(units >> 32n);
    const low = Number(units & 0xffff_ffffn);
    const head = this.words([index, high, low, bytes.length, originalBytes]);
    return this.#block(6, head, padded(bytes));
  }

  name(address: Uint8Array, name: string): this {
    const value = Buffer.concat([address, Buffer.from(`${name}\0`)]);
    const code = address.length === 4 ? 1 : 2;
    return this.#block(4, this.#options([{ code, value }]), this.words([0]));
  }

  tlsKeys(text: string): this {
    const bytes = Buffer.from(text);
    return this.#block(10, this.words([0x544c534b, bytes.length]), padded(bytes));
  }

  unknown(type: number, body: Uint8Array): this {
    return this.#block(type, padded(body));
  }

  words(values: readonly number[]): Buffer {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries())
      if (this.#littleEndian) bytes.writeUInt32LE(value >>> 0, 4 * i);
      else bytes.writeUInt32BE(value >>> 0, 4 * i);
    return bytes;
  }

  #u16(...values: number[]): Buffer {
    const bytes = Buffer.alloc(2 * values.length);
    for (const [i, value] of values.entries())
      if (this.#littleEndian) bytes.writeUInt16LE(value, 2 * i);
      else bytes.writeUInt16BE(value, 2 * i);
    return bytes;
  }

  #options(options: readonly Option[]): Buffer {
    const parts = options.flatMap(({ code, value }) => [
      this.#u16(code, value.length),
      padded(value),
    ]);
    return Buffer.concat(parts);
  }

  #block(type: number, ...body: Uint8Array[]): this {
    const content = Buffer.concat(body);
    const total = this.words([content.length + 12]);
    this.#parts.push(this.words([type]), total, content, total);
    return this;
  }
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
