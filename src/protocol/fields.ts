/** Reads the fields of a complete binary message. */
import { Garbled, textOf } from "./input.ts";

/** All numbers are unsigned. Reading beyond the end throws `Garbled`. */
export class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get leftBytes(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(lengthBytes: number): Uint8Array {
    if (lengthBytes > this.leftBytes) throw new Garbled("a message that ends early");
    this.#at += lengthBytes;
    return this.#bytes.subarray(this.#at - lengthBytes, this.#at);
  }

  /** Most significant byte first. */
  number(lengthBytes: number): number {
    return this.bytes(lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** Least significant byte first. */
  littleNumber(lengthBytes: number): number {
    return this.bytes(lengthBytes).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  /** Reads up to a zero byte and consumes it; or to the end, in a message that was truncated. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = textOf(this.#bytes.subarray(this.#at, end < 0 ? undefined : end));
    this.#at = end < 0 ? this.#bytes.length : end + 1;
    return text;
  }

  rest(): Uint8Array {
    return this.bytes(this.leftBytes);
  }
}
