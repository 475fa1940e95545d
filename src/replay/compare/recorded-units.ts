/**
 * Splits one direction of a recorded connection into units, by key, and tracks how far a process
 * has got that sends the same units in another order. The bytes of data stay in the file; the text
 * of other units is kept in memory.
 */
import { Garbled, Input } from "../../protocol/input.ts";
import type { RecordedBytes, RecordedStream } from "../../recording/recorded-stream.ts";
import type { Unit, Units } from "./units.ts";

const readBytes = 0x1_0000;
/** The framing needs a time for each byte, but nobody uses it here. */
const noMoment = { event: 0, atNs: 0 };

/** The kept properties of a unit. */
interface KeptUnit {
  readonly key: string;
  readonly name: string;
  readonly role: Unit["role"];
  readonly endOffset: number;
  /** Where the unit ends in the content of its key, and in all data of the direction, in bytes. */
  readonly contentEnd: number;
  readonly dataEnd: number;
}

/** A unit's part of the content of its key. */
interface Part {
  readonly at: number;
  readonly lengthBytes: number;
  readonly unit: string;
  /** Where the part begins in the direction. */
  readonly offset: number;
  /** Undefined if the part's bytes are those of the direction. */
  readonly text: Uint8Array | undefined;
}

/** The content of one key: its comparable bytes, in order. */
export class KeyContent implements RecordedBytes {
  lengthBytes = 0;
  readonly #stream: RecordedStream;
  readonly #parts: Part[] = [];

  constructor(stream: RecordedStream) {
    this.#stream = stream;
  }

  add({ name, content, isVerbatim, endOffset }: Unit, offset: number): void {
    this.#parts.push({
      at: this.lengthBytes,
      lengthBytes: content.length,
      unit: name,
      offset: isVerbatim ? endOffset - content.length : offset,
      text: isVerbatim ? undefined : content.slice(),
    });
    this.lengthBytes += content.length;
  }

  /** Always 0: a stream that lacks bytes is not split into units. */
  missingBytes(): number {
    return 0;
  }

  piece(offset: number, mostBytes: number): Uint8Array {
    const part = this.#partAt(offset);
    if (part === undefined) return nothing;
    const from = offset - part.at;
    const lengthBytes = Math.min(mostBytes, part.lengthBytes - from);
    return (
      part.text?.subarray(from, from + lengthBytes) ??
      this.#stream.piece(part.offset + from, lengthBytes)
    );
  }

  copy(from: number, to: number): Uint8Array {
    const start = Math.max(0, from);
    const copy = new Uint8Array(Math.max(0, Math.min(to, this.lengthBytes) - start));
    for (let done = 0; done < copy.length;) {
      const piece = this.piece(start + done, copy.length - done);
      copy.set(piece, done);
      done += piece.length;
    }
    return copy;
  }

  /**
   * The place at `offset`: its unit, its header if it lies in a header block, and its offset in the
   * direction.
   */
  placeAt(offset: number): { readonly unit: string; readonly offset: number } | undefined {
    const part = this.#partAt(offset) ?? this.#parts.at(-1);
    if (part === undefined) return undefined;
    if (part.text === undefined) return { unit: part.unit, offset: part.offset + offset - part.at };
    const header = headerAt(part.text, offset - part.at);
    const unit = header === undefined ? part.unit : `${part.unit}, ${header}`;
    return { unit, offset: part.offset };
  }

  /** Bisects, because there are as many parts as frames. */
  #partAt(offset: number): Part | undefined {
    if (offset >= this.lengthBytes) return undefined;
    let [low, high] = [0, this.#parts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#parts[middle]?.at ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#parts[low];
  }
}

/** The name of the header whose line contains the byte at `at`. */
function headerAt(text: Uint8Array, at: number): string | undefined {
  const before = String.fromCharCode(...text.subarray(Math.max(0, at - 4096), at));
  const after = String.fromCharCode(...text.subarray(at, at + 4096));
  const line = `${before.slice(before.lastIndexOf("\n") + 1)}${after.split("\n", 1)[0]}`;
  return /^(:?[^\s:]+): /.exec(line)?.[1];
}

export class RecordedUnits {
  readonly #stream: RecordedStream;
  readonly #units: KeptUnit[] = [];
  readonly #contents = new Map<string, KeyContent>();
  /** The number of leading units that the process has sent. */
  #settled = 0;

  /** Returns undefined if the recorded stream does not have this framing. */
  static read(stream: RecordedStream, unitsOf: (input: Input) => Units): RecordedUnits | undefined {
    const recorded = new RecordedUnits(stream);
    try {
      recorded.#read(unitsOf);
      return recorded;
    } catch (error) {
      if (error instanceof Garbled) return undefined;
      throw error;
    }
  }

  private constructor(stream: RecordedStream) {
    this.#stream = stream;
  }

  /** The content of a key; empty if the recording does not have the key. */
  contentOf(key: string): KeyContent {
    return this.#contents.get(key) ?? new KeyContent(this.#stream);
  }

  /**
   * How far a process has got, in bytes of the direction: up to the first unit that it has not
   * sent. `sentOf` returns how many bytes of a key's content the process sent, `dataBytes` is how
   * much data it sent in total. The result never decreases.
   */
  position(sentOf: (key: string) => number, dataBytes: number): number {
    for (let unit = this.#units[this.#settled]; unit; unit = this.#units[++this.#settled]) {
      if (unit.role === "free") continue;
      const missing =
        unit.role === "data" ? unit.dataEnd - dataBytes : unit.contentEnd - sentOf(unit.key);
      if (missing <= 0) continue;
      const before = this.#units[this.#settled - 1];
      const isBegun = unit.role === "data" && missing < unit.dataEnd - (before?.dataEnd ?? 0);
      return isBegun ? unit.endOffset - missing : (before?.endOffset ?? 0);
    }
    // A frame that the recording cuts short belongs to no unit.
    return this.#stream.lengthBytes;
  }

  /** The unit after the last returned position. */
  get awaited(): string | undefined {
    const unit = this.#units[this.#settled];
    return unit && `${unit.key}, ${unit.name}`;
  }

  #read(unitsOf: (input: Input) => Units): void {
    const input = new Input();
    const units = unitsOf(input);
    for (let offset = 0; offset < this.#stream.lengthBytes;) {
      const piece = this.#stream.piece(offset, readBytes);
      // An imported recording may lack bytes, which could hold any units.
      if (piece.length === 0) throw new Garbled();
      offset += piece.length;
      input.push(piece, noMoment);
      for (let next = units.next(); !next.done && next.value; next = units.next())
        this.#add(next.value);
      input.settle();
    }
  }

  #add(unit: Unit): void {
    const { key, name, role, endOffset, content } = unit;
    const last = this.#units.at(-1);
    const kept = this.#contents.get(key) ?? new KeyContent(this.#stream);
    this.#contents.set(key, kept);
    if (role !== "free") kept.add(unit, last?.endOffset ?? 0);
    const dataEnd = (last?.dataEnd ?? 0) + (role === "data" ? content.length : 0);
    this.#units.push({ key, name, role, endOffset, contentEnd: kept.lengthBytes, dataEnd });
  }
}

const nothing: Uint8Array = new Uint8Array(0);
