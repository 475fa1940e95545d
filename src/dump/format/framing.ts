/**
 * Splits a byte stream into pcapng blocks, and distinguishes a torn tail from damage.
 *
 * A recording may be cut short anywhere: plg was killed, the disk was full, the machine crashed.
 * The file then ends within a block or, depending on the file system, in zeros that start on a
 * 32-bit boundary. Both are a torn tail, and everything before it is valid. Anything else that does
 * not fit is damage, and no reason to guess.
 */
import { DumpError } from "../../base/errors.ts";
import { BlockType, blockFrameBytes } from "./pcapng.ts";
import {
  ethernetHeaderBytes,
  maxBlockBytes,
  maxPacketBytes,
  maxZeroTailBytes,
  RecordAt,
  recordBytes,
  recordHeaderBytes,
  writeUnitBytes,
} from "./schema.ts";

/** A whole block. `bytes` and `view` are valid until the next `push`. */
export interface Block {
  readonly type: number;
  /** Its offset in the file. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const knownTypes: ReadonlySet<number> = new Set(Object.values(BlockType));

export class BlockReader {
  readonly #name: string;
  readonly #maxZeroTailBytes: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(writeUnitBytes);
  #view: DataView = new DataView(this.#buffer.buffer);
  /** The buffer's bytes [`#start`, `#end`) are those of the file from `#position` on. */
  #start = 0;
  #end = 0;
  #position = 0;
  #length = 0;
  /** Set once only zeros may follow: the problem to report if something else does. */
  #torn: DumpError | undefined;

  /** `name`: the file's name in messages. */
  constructor(name: string, mostZeroTailBytes: number = maxZeroTailBytes) {
    this.#name = name;
    this.#maxZeroTailBytes = mostZeroTailBytes;
  }

  /** Takes the file's next bytes, and copies them. */
  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
    this.#length += chunk.length;
  }

  /** The unread bytes that are available, for looking ahead. */
  get front(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** The next whole block, or undefined when more bytes are needed. */
  next(): Block | undefined {
    if (this.#torn !== undefined) {
      this.#expectZeros();
      return undefined;
    }
    const totalBytes = this.#blockLength();
    if (totalBytes === undefined || totalBytes > this.#end - this.#start) return undefined;
    return this.#take(totalBytes);
  }

  /** At the end: the start of a torn tail, or undefined if the file ends with a whole block. */
  end(): number | undefined {
    if (this.#torn !== undefined) return this.#torn.position;
    return this.#start === this.#end ? undefined : this.#position;
  }

  /** The number of bytes pushed so far. */
  get length(): number {
    return this.#length;
  }

  #makeRoom(lengthBytes: number): void {
    const held = this.#end - this.#start;
    if (held + lengthBytes > this.#buffer.length) {
      const larger = new Uint8Array(2 * (held + lengthBytes));
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = held;
  }

  /** The length that the first block claims, checked as soon as its first bytes are available. */
  #blockLength(): number | undefined {
    const held = this.#end - this.#start;
    if (held < blockFrameBytes) return undefined;
    const type = this.#view.getUint32(this.#start, true);
    const totalBytes = this.#view.getUint32(this.#start + 4, true);
    if (totalBytes === 0) {
      this.#suspectTail(`a block of length 0`, 8);
      return undefined;
    }
    if (!knownTypes.has(type)) throw this.#damage(`unknown block type 0x${type.toString(16)}`);
    const sane =
      totalBytes % 4 === 0 && totalBytes >= blockFrameBytes && totalBytes <= maxBlockBytes;
    if (!sane) throw this.#damage(`a block cannot be ${totalBytes} bytes long`);
    this.#judgeLength(type, totalBytes);
    return totalBytes;
  }

  /**
   * The length of records and padding follows from other fields, so a wrong one is not a torn tail.
   */
  #judgeLength(type: number, totalBytes: number): void {
    if (type === BlockType.padding) {
      const aligned = (this.#position + totalBytes) % writeUnitBytes === 0;
      if (!aligned || totalBytes >= writeUnitBytes + blockFrameBytes) {
        throw this.#damage("a padding block does not end at a multiple of 4096");
      }
    }
    if (type === BlockType.enhancedPacket && this.#end - this.#start >= recordHeaderBytes) {
      const captured = this.#view.getUint32(this.#start + RecordAt.capturedLength, true);
      const possible = captured <= ethernetHeaderBytes + maxPacketBytes;
      // A header that a tail of zeros has overwritten has 0 here, too.
      if (captured !== 0 && (!possible || recordBytes(captured) !== totalBytes)) {
        throw this.#damage("the lengths of a record disagree");
      }
    }
  }

  #take(totalBytes: number): Block | undefined {
    const bytes = this.#buffer.subarray(this.#start, this.#start + totalBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, totalBytes);
    const again = view.getUint32(totalBytes - 4, true);
    if (again === 0) {
      this.#suspectTail("the two lengths of a block disagree", totalBytes);
      return undefined;
    }
    if (again !== totalBytes) throw this.#damage("the two lengths of a block disagree");
    const block = { type: view.getUint32(0, true), position: this.#position, bytes, view };
    this.#start += totalBytes;
    this.#position += totalBytes;
    return block;
  }

  /** Expects zeros from `lengthBytes` after the front to the end of the file. */
  #suspectTail(what: string, lengthBytes: number): void {
    this.#torn = this.#damage(what);
    this.#start += lengthBytes;
    this.#expectZeros();
  }

  #expectZeros(): void {
    for (let at = this.#start; at < this.#end; at++) {
      if (this.#buffer[at] !== 0) throw this.#torn as DumpError;
    }
    if (this.#length - this.#position > this.#maxZeroTailBytes)
      throw this.#damage("it ends in too many zeros");
    this.#start = this.#end;
  }

  #damage(what: string): DumpError {
    return new DumpError(`${this.#name} is damaged: ${what}`, this.#position);
  }
}
