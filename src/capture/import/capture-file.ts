/** A capture on disk, gzip-compressed or not, as a source of packets. */
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { createGunzip } from "node:zlib";
import { PlgError } from "../../base/errors.ts";
import { describeErrno } from "../../dump/store/file.ts";
import {
  type CapturedPacket,
  type CaptureEnd,
  type CaptureNote,
  CaptureProblem,
} from "../read/packet.ts";
import { CaptureReader } from "../read/reader.ts";
import type { CaptureSource } from "./capture-source.ts";

const chunkBytes = 1 << 20;
const gzipMagic = [0x1f, 0x8b];

/** Yields the bytes of a file. Each chunk is valid until the next. */
type Chunks = AsyncIterator<Uint8Array>;

/**
 * Reads the packets of one capture. Unreadable data ends it, and {@link CaptureFile.end} gives the
 * reason. A file that is not a capture causes a {@link PlgError} (`capture-unreadable`).
 */
export class CaptureFile {
  readonly name: string;
  /** The number of bytes read, after decompression. */
  readBytes = 0;
  readonly #reader: CaptureReader;
  readonly #chunks: Chunks;
  #unpackingProblem: string | undefined;

  constructor(source: CaptureSource, onNote: (note: CaptureNote) => void = () => {}) {
    this.name = source.name;
    this.#reader = new CaptureReader(onNote);
    this.#chunks = isGzip(source) ? unpacked(source) : plain(source);
  }

  /**
   * Returns the next packet of the bytes read so far, valid until the next call; undefined if
   * {@link fill} must come first.
   */
  next(): CapturedPacket | undefined {
    return this.#named(() => this.#reader.next());
  }

  /** Reads more. Returns false at the end of the file. */
  async fill(): Promise<boolean> {
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.readBytes += value.length;
      this.#reader.push(value);
      return true;
    } catch (error) {
      if (error instanceof PlgError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      // zlib's codes: the compressed file is truncated or damaged.
      if (code?.startsWith("Z_") !== true) throw unreadable(this.name, error);
      this.#unpackingProblem = code === "Z_BUF_ERROR" ? "it is cut short" : "gzip cannot unpack it";
      return false;
    }
  }

  /** Returns where and why the capture ends early, if it does. Call it after the last packet. */
  end(): CaptureEnd {
    const end = this.#named(() => this.#reader.end());
    if (this.#unpackingProblem === undefined) return end;
    return { problem: { position: this.readBytes, what: this.#unpackingProblem } };
  }

  /** Frees the file, wherever reading stopped. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #named<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CaptureProblem)) throw error;
      const why = this.#unpackingProblem ?? error.message;
      throw new PlgError(`cannot import ${this.name}: ${why}`, { code: "capture-unreadable" });
    }
  }
}

function isGzip(source: CaptureSource): boolean {
  const front = new Uint8Array(2);
  const fd = opened(source);
  try {
    readSync(fd, front, 0, front.length, 0);
  } catch (error) {
    throw unreadable(source.name, error);
  } finally {
    closeSync(fd);
  }
  return gzipMagic.every((byte, at) => front[at] === byte);
}

/** Synchronous reads: they cost less than the thread pool, and packets wait for them anyway. */
// oxlint-disable-next-line typescript/require-await -- an iterator of the same kind as unpacked()
async function* plain(source: CaptureSource): AsyncGenerator<Uint8Array, undefined> {
  const chunk = new Uint8Array(chunkBytes);
  const fd = opened(source);
  try {
    for (;;) {
      const lengthBytes = readSync(fd, chunk, 0, chunk.length, null);
      if (lengthBytes === 0) return undefined;
      yield chunk.subarray(0, lengthBytes);
    }
  } finally {
    closeSync(fd);
  }
}

async function* unpacked({ path }: CaptureSource): AsyncGenerator<Uint8Array, undefined> {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  file.on("error", (error) => gunzip.destroy(error));
  try {
    for await (const chunk of file.pipe(gunzip)) yield chunk as Uint8Array;
    return undefined;
  } finally {
    file.destroy();
  }
}

function opened({ name, path }: CaptureSource): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): PlgError {
  const { code, words } = describeErrno(error);
  return new PlgError(`cannot read the capture ${name}: ${words} (${code})`, {
    cause: error,
    code: "capture-unreadable",
  });
}
