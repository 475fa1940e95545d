/**
 * Random bytes that follow from a seed. Each name has its own stream, and each call to a stream has
 * its own bytes. An additional call, or another length, changes no bytes of other streams or calls:
 *
 *     key of a stream   HMAC-SHA-256("plg seed SEED", name)
 *     bytes of call n   AES-256 in counter mode under that key, from the counter block (n, 0),
 *                       two big-endian words of 64 bits
 *
 * Recordings depend on this: any change needs a new `seedingScheme` (core/scheme.ts).
 */
import { createCipheriv, createHmac } from "node:crypto";

/** The bytes for one caller, call by call. */
export class Stream {
  readonly #key: Uint8Array;
  readonly #counter = Buffer.alloc(16);
  #calls = 0n;

  constructor(seed: number, name: string) {
    this.#key = createHmac("sha256", `plg seed ${seed}`).update(name).digest();
  }

  /** Returns the bytes of the next call. */
  next(lengthBytes: number): Uint8Array {
    this.#counter.writeBigUInt64BE(this.#calls++);
    return createCipheriv("aes-256-ctr", this.#key, this.#counter).update(
      Buffer.alloc(lengthBytes),
    );
  }
}
