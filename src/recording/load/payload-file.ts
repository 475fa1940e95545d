/** Reads recorded bytes from the dump on demand. */
import { closeSync, openSync, readSync } from "node:fs";
import { PlgError } from "../../base/errors.ts";
import { allocateRegion, type Region } from "../../sys/memory.ts";
import type { ReadPayload } from "../recorded-stream.ts";

/** The longest payload of a record is an IPv6 packet: 65,575 bytes. */
const longestBytes = 0x1_1000;

export class PayloadFile {
  readonly #path: string;
  readonly #fd: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "r");
  }

  /** Allocates memory for one payload. */
  static room(): Region {
    return allocateRegion(longestBytes);
  }

  /** Reads `lengthBytes` from `position` of the file into `bytes` at `at`. */
  readInto(bytes: Uint8Array, at: number, position: number, lengthBytes: number): void {
    let done = 0;
    while (done < lengthBytes) {
      const count = readSync(this.#fd, bytes, at + done, lengthBytes - done, position + done);
      if (count === 0)
        throw new PlgError(`${this.#path} was cut short while it was replayed`, {
          code: "dump-changed",
        });
      done += count;
    }
  }

  /** Reads one payload, or a part of it, at a time: the result is good until the next call. */
  reader(): ReadPayload {
    const { bytes } = PayloadFile.room();
    return (position, lengthBytes) => {
      this.readInto(bytes, 0, position, lengthBytes);
      return bytes.subarray(0, lengthBytes);
    };
  }

  close(): void {
    closeSync(this.#fd);
  }
}
