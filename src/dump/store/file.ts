/**
 * The dump as a file that only ever grows, by whole write units, past the page cache where the file
 * system allows it: at the speed of loopback traffic the cache's own copying and write-back is
 * what limits (0.28 to 0.42 GB/s through it, 1.6 GB/s past it, on the same disk).
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { getSystemErrorMap } from "node:util";
import { assert } from "../../base/assert.ts";
import { MachineError, UsageError } from "../../base/errors.ts";
import type { Appender } from "./block-writer.ts";
import { writeUnitBytes } from "../format/schema.ts";

/** An opened dump, as threads pass it to each other: a descriptor belongs to the whole process. */
export interface DumpFile {
  readonly path: string;
  readonly fd: number;
  /** Whether it was opened with `O_DIRECT`. */
  readonly direct: boolean;
}

/** The error code and the kernel's words for it. */
export function describeErrno(error: unknown): { code: string; words: string } {
  const { errno, code = "unknown error" } = error as NodeJS.ErrnoException;
  const words = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  return { code, words: words ?? (error as Error).message };
}

const creation = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
/** A recording may hold passwords and the like: for its owner only. */
const mode = 0o600;

/**
 * Throws what {@link openDumpFile} would, as far as that shows without opening: then nothing else needs to
 * be made. What is there already stays as it is.
 */
export function checkDumpPath(path: string): void {
  naming(path, () => {
    refuseSpecialFile(path);
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  });
}

/** Creates or empties the file, for its owner only. Throws a {@link UsageError} that names the path if it cannot be written. */
export function openDumpFile(path: string): DumpFile {
  return naming(path, () => {
    refuseSpecialFile(path);
    const file = openDirectly(path) ?? { path, fd: openSync(path, creation, mode), direct: false };
    makePrivate(file.fd);
    return file;
  });
}

/** What fails is told with the path and the mend. */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, words } = describeErrno(error);
    throw new UsageError(
      `cannot write the dump ${path}: ${words} (${code}); name a file that can be written with -f PATH`,
    );
  }
}

/** Undefined if the file system has no `O_DIRECT`, which it tells by EINVAL (open(2)): tmpfs before Linux 6.6, say. */
function openDirectly(path: string): DumpFile | undefined {
  try {
    return { path, fd: openSync(path, creation | constants.O_DIRECT, mode), direct: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EINVAL") return undefined;
    throw error;
  }
}

/** A file that was there before keeps its mode when it is opened. */
function makePrivate(fd: number): void {
  const stats = fstatSync(fd);
  if (stats.isFile() && (stats.mode & 0o077) !== 0) fchmodSync(fd, mode);
}

export function closeDumpFile(file: DumpFile): void {
  closeSync(file.fd);
}

/** A FIFO would block `open` until someone reads, and a short write could not be taken back. */
function refuseSpecialFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile() || isNullDevice(stats)) return;
  const what = stats.isDirectory() ? "a directory" : "neither an ordinary file nor /dev/null";
  throw new UsageError(`cannot write the dump ${path}: it is ${what}; name a file with -f PATH`);
}

/** `/dev/null`: to see what traffic costs without a recording. Device 1:3 on every Linux. */
function isNullDevice(stats: { isCharacterDevice(): boolean; rdev: number }): boolean {
  return stats.isCharacterDevice() && stats.rdev === ((1 << 8) | 3);
}

const mends: Readonly<Record<string, string>> = {
  ENOSPC: "make room or name another file with -f",
  EDQUOT: "make room or name another file with -f",
  EFBIG: "raise the limit ('ulimit -f') or name a file on another file system with -f",
};

/** Appends to a dump. One per file, in whichever thread writes. */
export class DumpAppender implements Appender {
  readonly #file: DumpFile;
  #fd: number;
  #length: number;
  #buffered: number | undefined;

  /** `lengthBytes`: how much of the file is written already. */
  constructor(file: DumpFile, lengthBytes: number) {
    this.#file = file;
    this.#fd = file.fd;
    this.#length = lengthBytes;
  }

  /** The length of the file: always that of a whole, valid dump. */
  get lengthBytes(): number {
    return this.#length;
  }

  /**
   * Writes all of `bytes`: whole write units, in memory that begins at a page. If the write fails, the file is
   * cut back to what it was and a {@link MachineError} says why.
   */
  append(bytes: Uint8Array): void {
    assert(bytes.length % writeUnitBytes === 0, "the dump grows by whole write units");
    try {
      let done = 0;
      while (done < bytes.length) done += this.#writeSome(bytes, done);
    } catch (error) {
      this.#cutBack();
      throw this.#failure(error);
    }
    this.#length += bytes.length;
  }

  /** Closes what the appender has opened itself. */
  close(): void {
    if (this.#buffered !== undefined) closeSync(this.#buffered);
  }

  #writeSome(bytes: Uint8Array, done: number): number {
    try {
      return writeSync(this.#fd, bytes, done, bytes.length - done, this.#length + done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EINTR") return 0;
      // Some file systems take O_DIRECT at open and refuse it at the write, or after a write that fell short.
      if (code !== "EINVAL" || this.#buffered !== undefined || !this.#file.direct) throw error;
      this.#buffered = openSync(`/proc/self/fd/${this.#file.fd}`, constants.O_WRONLY);
      this.#fd = this.#buffered;
      return 0;
    }
  }

  /** A write that failed half-way may have left a piece of a block behind. */
  #cutBack(): void {
    try {
      if (fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd, this.#length);
    } catch {
      // The torn block stays: readers cut it off with a warning. The write's own error is what counts.
    }
  }

  #failure(error: unknown): MachineError {
    const { code, words } = describeErrno(error);
    const mend = mends[code] === undefined ? "" : `; ${mends[code]}`;
    return new MachineError(
      `cannot write the dump ${this.#file.path} beyond ${this.#length} bytes: ${words} (${code}); ` +
        `what was recorded until then can be read${mend}`,
      { cause: error },
    );
  }
}
