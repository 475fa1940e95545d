/** A text file that only its owner may read, because recordings may hold secrets. */
import { closeSync, openSync, writeSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import { describeErrno } from "../../dump/store/file.ts";

export const fileMode: number = 0o600;
/** The approximate size of each write. */
const pieceCharacters = 1 << 16;

export class LineFile {
  readonly #path: string;
  readonly #fd: number;
  #text = "";

  /** Creates or overwrites the file. Throws a {@link UsageError} if that fails. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = naming(path, () => openSync(path, "w", fileMode));
  }

  /** Adds a line. Throws a {@link UsageError} if it cannot be written. */
  add(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= pieceCharacters) this.finish();
  }

  /** Writes all lines. */
  finish(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = "";
    naming(this.#path, () => writeAll(this.#fd, bytes));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}

/** Runs `work`, and names the file if it fails. */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, words } = describeErrno(error);
    throw new UsageError(`cannot write ${path}: ${words} (${code})`);
  }
}
