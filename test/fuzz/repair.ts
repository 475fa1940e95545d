/**
 * Makes a mutated dump plausible again, so that what is wrong with it is found by deeper code than
 * the check sums: every block gets the lengths and sums that fit what is in it now, and records, if
 * so wished, the numbers and offsets that continue their connections.
 */
import { paddedTo4, BlockType, OptionCode } from "../../src/dump/format/pcapng.ts";
import { recordCheck } from "../../src/dump/format/checksums.ts";
import { crc32Range } from "../../src/dump/format/crc32.ts";
import { sumBytes } from "../../src/dump/format/data-sum.ts";
import {
  formatVersion,
  maxBlockBytes,
  RecordAt,
  recordHeaderBytes,
  RecordKind,
  recordOptionBytes,
  recordTailBytes,
  TailAt,
  writeUnitBytes,
} from "../../src/dump/format/schema.ts";

/** `sums`: lengths and check sums; `streams`: connection numbers and stream offsets as well. */
export type Repair = "none" | "sums" | "streams";

/** Where a block lies. */
export interface Span {
  readonly at: number;
  readonly lengthBytes: number;
}

/**
 * The blocks of a dump, as their lengths have it; the last may be cut off, or be no block at all.
 */
export function blocksOf(bytes: Uint8Array): Span[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const spans: Span[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const lengthBytes = lengthAt(view, at);
    spans.push({ at, lengthBytes });
    at += lengthBytes;
  }
  return spans;
}

/** What the block claims, or all that is left if that cannot be. */
function lengthAt(view: DataView, at: number): number {
  const claimed = view.getUint32(at + 4, true);
  const left = view.byteLength - at;
  const sane = claimed >= 12 && claimed % 4 === 0 && claimed <= Math.min(left, maxBlockBytes);
  return sane ? claimed : Math.min(left & ~3, maxBlockBytes);
}

/** Repairs `bytes` in place. */
export function repair(bytes: Uint8Array, how: Repair): Uint8Array {
  if (how === "none") return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const streams = new Streams();
  for (const { at, lengthBytes } of blocksOf(bytes)) {
    view.setUint32(at + 4, lengthBytes, true);
    view.setUint32(at + lengthBytes - 4, lengthBytes, true);
    const type = view.getUint32(at, true);
    if (type === BlockType.enhancedPacket && lengthBytes >= recordHeaderBytes + recordTailBytes)
      repairRecord(bytes, view, at, lengthBytes, how === "streams" ? streams : undefined);
    else if (type === BlockType.padding) repairPadding(bytes, view, at, lengthBytes);
    else if (lengthBytes >= 28) repairCheck(bytes, view, at, lengthBytes);
  }
  return bytes;
}

function repairCheck(bytes: Uint8Array, view: DataView, at: number, lengthBytes: number): void {
  const tail = at + lengthBytes - 16;
  view.setUint16(tail, OptionCode.plgBlockCheck, true);
  view.setUint16(tail + 2, 4, true);
  view.setUint32(tail + 4, crc32Range(bytes, at, tail), true);
  view.setUint32(tail + 8, 0, true);
}

/** A padding block that does not end at a write unit any more becomes a block that nobody reads. */
function repairPadding(bytes: Uint8Array, view: DataView, at: number, lengthBytes: number): void {
  if ((at + lengthBytes) % writeUnitBytes === 0 || lengthBytes < 28) return;
  view.setUint32(at, BlockType.decryptionSecrets, true);
  repairCheck(bytes, view, at, lengthBytes);
}

function repairRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  lengthBytes: number,
  streams: Streams | undefined,
): void {
  const room = lengthBytes - recordHeaderBytes - recordTailBytes;
  const claimed = view.getUint32(at + RecordAt.capturedLength, true);
  const captured = paddedTo4(claimed) === room ? claimed : room;
  const tail = at + lengthBytes - recordTailBytes;
  view.setUint32(at + RecordAt.capturedLength, captured, true);
  view.setUint32(at + RecordAt.originalLength, captured, true);
  view.setUint16(tail + TailAt.optionCode, OptionCode.plgRecord, true);
  view.setUint16(tail + TailAt.optionLength, recordOptionBytes, true);
  view.setUint8(tail + TailAt.version, formatVersion);
  streams?.continue(bytes, view, at, tail, captured);
  view.setUint32(tail + TailAt.endOfOptions, 0, true);
  view.setUint32(tail + TailAt.dataSum, sumBytes(bytes, at + recordHeaderBytes, tail), true);
  view.setUint32(tail + TailAt.check, recordCheck(bytes, at, tail), true);
}

/** Numbers attempts in their order, and lets each record go on where its stream is. */
class Streams {
  /** By connection, from 1: what each direction has sent, and the interfaces of both ends. */
  readonly #sent: [number, number][] = [[0, 0]];

  continue(bytes: Uint8Array, view: DataView, at: number, tail: number, captured: number): void {
    const kind = view.getUint8(tail + TailAt.kind);
    if (kind === RecordKind.packet) return;
    const direction = view.getUint8(tail + TailAt.direction) & 1;
    view.setUint8(tail + TailAt.direction, kind === RecordKind.connect ? 0 : direction);
    if (kind === RecordKind.connect) this.#sent.push([0, 0]);
    const last = this.#sent.length - 1;
    const number = Math.min(view.getUint32(tail + TailAt.connection, true), last);
    const connection = kind === RecordKind.connect ? last : number;
    const sent = this.#sent[connection] as [number, number];
    view.setUint32(tail + TailAt.connection, connection, true);
    view.setUint32(tail + TailAt.offsetLow, sent[direction as 0 | 1], true);
    view.setUint32(tail + TailAt.offsetHigh, 0, true);
    const isIpv6 = bytes[at + recordHeaderBytes + 12] === 0x86;
    if (kind === RecordKind.data)
      sent[direction as 0 | 1] += Math.max(0, captured - (isIpv6 ? 74 : 54));
  }
}
