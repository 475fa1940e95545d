/** Decodes header blocks of HTTP/2 (RFC 7541). One decoder serves one direction of a connection. */
import { latin1 } from "../base/latin1.ts";
import { staticFields } from "./hpack-tables.ts";
import { decodeHuffman } from "./huffman.ts";
import { Garbled } from "./input.ts";

/** A header field, such as `[":path", "/"]`. */
export type HeaderField = readonly [name: string, value: string];

/** RFC 9113, section 6.5.2: until the peer says otherwise. */
const defaultTableBytes = 4096;
/** Above the table size that any peer in use allows. */
const mostTableBytes = 1 << 20;
/** RFC 7541, section 4.1. */
const fieldOverheadBytes = 32;

export class HeaderDecoder {
  /** The newest field comes first. */
  readonly #dynamic: { readonly field: HeaderField; readonly sizeBytes: number }[] = [];
  #usedBytes = 0;
  #limitBytes = defaultTableBytes;
  /** The limit that the peer sets by SETTINGS_HEADER_TABLE_SIZE. */
  #allowedBytes = defaultTableBytes;

  allow(tableBytes: number): void {
    this.#allowedBytes = Math.min(tableBytes, mostTableBytes);
    // If the limit shrinks, the encoder must announce its new size (section 4.2); its old size
    // stays valid until then.
  }

  /** Decodes the fields of a whole block. Throws `Garbled`. */
  decode(block: Uint8Array): HeaderField[] {
    const reader = new BlockReader(block);
    const fields: HeaderField[] = [];
    while (!reader.isAtEnd) {
      const field = this.#field(reader);
      if (field) fields.push(field);
    }
    return fields;
  }

  /** RFC 7541, section 6. */
  #field(reader: BlockReader): HeaderField | undefined {
    const first = reader.peek();
    if (first >= 0x80) return this.#at(reader.integer(7));
    if (first >= 0x40) return this.#add(this.#literal(reader, 6));
    if (first < 0x20) return this.#literal(reader, 4);
    this.#resize(reader.integer(5));
    return undefined;
  }

  #literal(reader: BlockReader, prefixBits: number): HeaderField {
    const index = reader.integer(prefixBits);
    const name = index === 0 ? reader.text() : this.#at(index)[0];
    return [name, reader.text()];
  }

  #at(index: number): HeaderField {
    const field =
      index <= staticFields.length
        ? staticFields[index - 1]
        : this.#dynamic[index - staticFields.length - 1]?.field;
    if (field === undefined) throw new Garbled("no field has this index");
    return field;
  }

  #add(field: HeaderField): HeaderField {
    const sizeBytes = field[0].length + field[1].length + fieldOverheadBytes;
    this.#dynamic.unshift({ field, sizeBytes });
    this.#usedBytes += sizeBytes;
    this.#evict();
    return field;
  }

  #resize(limitBytes: number): void {
    if (limitBytes > Math.max(this.#allowedBytes, defaultTableBytes))
      throw new Garbled("a table that is not allowed");
    this.#limitBytes = limitBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#usedBytes > this.#limitBytes)
      this.#usedBytes -= this.#dynamic.pop()?.sizeBytes ?? 0;
  }
}

/** RFC 7541, section 5: integers and strings. */
class BlockReader {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new Garbled("a block that ends early");
    return byte;
  }

  integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    // A longer encoding would exceed any valid length or index.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Garbled("a number that is too large");
  }

  text(): string {
    const isCoded = this.peek() >= 0x80;
    const length = this.integer(7);
    if (length > this.#block.length - this.#at) throw new Garbled("a block that ends early");
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    this.#at += length;
    // One character per byte, because field sizes are counted in bytes.
    return latin1(isCoded ? decodeHuffman(bytes) : bytes);
  }

  #byte(): number {
    const byte = this.peek();
    this.#at++;
    return byte;
  }
}
