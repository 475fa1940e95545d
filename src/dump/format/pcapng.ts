/**
 * The pcapng container: the codes of draft-ietf-opsawg-pcapng, and a builder for blocks that are
 * written once per run. (Blocks of the data path are written in place: see encoder.ts.)
 *
 * Every block is [type u32][total length u32][body, padded to 4][total length u32]. Numbers are
 * little-endian throughout: the profile fixes it (see schema.ts).
 */
import { assert } from "../../base/assert.ts";
import { crc32Range } from "./crc32.ts";

/** Block types (section 11.1). Types with the top bit set are for local use; readers skip them. */
export const BlockType = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  decryptionSecrets: 10,
  /** Our padding, which fills a write up to the next page. The local use bit, then "PLG". */
  padding: 0x80504c47,
} as const;

/** Option codes. Sections 3.5 and 4 of the draft say which block has which. */
export const OptionCode = {
  endOfOptions: 0,
  comment: 1,
  shbHardware: 2,
  shbOs: 3,
  shbUserAppl: 4,
  ifName: 2,
  ifDescription: 3,
  ifIPv4addr: 4,
  ifIPv6addr: 5,
  ifMACaddr: 6,
  ifTsresol: 9,
  ifOs: 12,
  isbStartTime: 2,
  isbEndTime: 3,
  isbIfRecv: 4,
  /** Our option in every event record: see schema.ts. The local use bit, then "PL". */
  plgRecord: 0xd04c,
  /** Our last option in every other block: the CRC-32 of the block's bytes before it. */
  plgBlockCheck: 0xd04d,
} as const;

export const byteOrderMagic = 0x1a2b3c4d;
export const linktypeEthernet = 1;
/** `if_tsresol` 9: timestamps count nanoseconds. */
export const nanosecondResolution = 9;
/** The length of a block's type and its two total lengths. */
export const blockFrameBytes = 12;
/** An option stores the length of its value as a u16. */
export const maxOptionBytes = 65_535;

/** `lengthBytes` rounded up to a 32-bit boundary, where every field of a block starts. */
export function paddedTo4(lengthBytes: number): number {
  return (lengthBytes + 3) & ~3;
}

const utf8 = new TextEncoder();

/** `text` as UTF-8, cut between characters to fit into one option. */
function optionText(text: string): Uint8Array {
  const bytes = new Uint8Array(maxOptionBytes);
  return bytes.subarray(0, utf8.encodeInto(text, bytes).written);
}

/** Builds a block. It grows as it is filled; {@link finish} returns its bytes. */
export class BlockBuilder {
  // Growing replaces both fields, so make room before you use the view.
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(type: number) {
    this.u32(type).u32(0);
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
    return this;
  }

  /** A timestamp: high word first, unlike a little-endian u64 (section 4.3). */
  time(ns: bigint): this {
    return this.u32(Number(ns >> 32n)).u32(Number(ns & 0xffff_ffffn));
  }

  /** Appends bytes, and zeros up to the next 32-bit boundary. */
  padded(value: Uint8Array): this {
    const at = this.#grow(paddedTo4(value.length));
    this.#bytes.set(value, at);
    return this;
  }

  option(code: number, value: Uint8Array): this {
    assert(value.length <= maxOptionBytes, "an option's value must fit its 16-bit length");
    return this.u16(code).u16(value.length).padded(value);
  }

  text(code: number, value: string): this {
    return this.option(code, optionText(value));
  }

  optionTime(code: number, ns: bigint): this {
    return this.u16(code).u16(8).time(ns);
  }

  optionU64(code: number, value: bigint): this {
    return this.u16(code).u16(8).u64(value);
  }

  /**
   * Ends the options with the block's checksum, sets both lengths and returns the block's bytes.
   */
  finish(): Uint8Array<ArrayBuffer> {
    const totalBytes = this.#length + 8 + 4 + 4;
    this.#view.setUint32(4, totalBytes, true);
    const check = crc32Range(this.#bytes, 0, this.#length);
    this.u16(OptionCode.plgBlockCheck).u16(4).u32(check);
    this.u32(OptionCode.endOfOptions).u32(totalBytes);
    return this.#bytes.slice(0, this.#length);
  }

  /** Appends `lengthBytes` zeros and returns their offset. */
  #grow(lengthBytes: number): number {
    const at = this.#length;
    this.#length += lengthBytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/**
 * Pads the content of `[from..to)` to a multiple of `unitBytes`, by a padding block if necessary.
 * Returns the new end.
 */
export function padToUnit(
  memory: { readonly bytes: Uint8Array; readonly view: DataView },
  from: number,
  to: number,
  unitBytes: number,
): number {
  const lengthBytes = paddingAfter(to - from, unitBytes);
  if (lengthBytes > 0) writePadding(memory.bytes, memory.view, to, lengthBytes);
  return to + lengthBytes;
}

/** The length of the padding block that fills `usedBytes` up to a multiple of `unitBytes`, or 0. */
function paddingAfter(usedBytes: number, unitBytes: number): number {
  const gap = (unitBytes - (usedBytes % unitBytes)) % unitBytes;
  return gap > 0 && gap < blockFrameBytes ? gap + unitBytes : gap;
}

/**
 * Writes a padding block of `lengthBytes` (at least 12, a multiple of 4) at `at`, and zeros its
 * body.
 */
function writePadding(bytes: Uint8Array, view: DataView, at: number, lengthBytes: number): void {
  view.setUint32(at, BlockType.padding, true);
  view.setUint32(at + 4, lengthBytes, true);
  bytes.fill(0, at + 8, at + lengthBytes - 4);
  view.setUint32(at + lengthBytes - 4, lengthBytes, true);
}
