/**
 * The dump as a file that only ever grows, by whole write units, past the page cache where the file
 * system allows it: at the speed of loopback traffic the cache's own copying and write-back is
 * what limits (0.28 to 0.42 GB/s through it, 1.6 GB/s past it, on the same disk).
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { getSystemErrorMap } from "node:util";
import { allOrNothingNow } from "../../base/undo-stack.ts";
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
 * Creates or empties the file, for its owner only. Messages call it `name`. Throws a
 * {@link UsageError} if it cannot be written.
 */
export function openDumpFile(path: string, name: string = path): DumpFile {
  return namingDump(name, () => {
    const { fd, direct } = openDirectly(path) ?? openBuffered(path);
    return allOrNothingNow((undos) => {
      undos.push(() => closeSync(fd));
      makePrivate(fd);
      return { path: name, fd, direct };
    });
  });
}

/** Does `work`, and says of a system call that fails which dump it was about. */
export function namingDump<T>(path: string, work: () => T): T {
  try {
    refuseSpecialFile(path);
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, words } = describeErrno(error);
    throw new UsageError(`cannot write the dump ${path}: ${words} (${code})`, {
      cause: error,
      code: "dump-unwritable",
    });
  }
}

type Opened = Pick<DumpFile, "fd" | "direct">;

function openBuffered(path: string): Opened {
  return { fd: openSync(path, creation, mode), direct: false };
}

/**
 * Returns undefined if the file system has no `O_DIRECT` and says so by EINVAL (open(2)), such as
 * tmpfs before Linux 6.6.
 */
function openDirectly(path: string): Opened | undefined {
  try {
    return { fd: openSync(path, creation | constants.O_DIRECT, mode), direct: true };
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
  throw new UsageError(`cannot write the dump ${path}: it is ${what}`, { code: "dump-unwritable" });
}

/** `/dev/null` shows the cost of traffic without a recording. It is device 1:3 on every Linux. */
export function isNullDevice(stats: Stats | undefined): boolean {
  return stats?.isCharacterDevice() === true && stats.rdev === ((1 << 8) | 3);
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "make room or use another file system",
  EDQUOT: "make room or use another file system",
  EFBIG: "raise the limit ('ulimit -f') or use another file system",
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
   * Writes all of `bytes`: whole write units, in memory that begins at a page. If the write fails,
   * the file is cut back to what it was and a {@link MachineError} says why.
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
      // Some file systems take O_DIRECT at open and refuse it at the write, or after a write that
      // fell short.
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
      // The torn block stays: readers cut it off with a warning. The write's own error is what
      // counts.
    }
  }

  #failure(error: unknown): MachineError {
    const { code, words } = describeErrno(error);
    const remedy = remedies[code] === undefined ? "" : `; ${remedies[code]}`;
    return new MachineError(
      `cannot write the dump ${this.#file.path} beyond ${this.#length} bytes: ${words} (${code}); ` +
        `what was recorded until then can be read${remedy}`,
      { cause: error, code: "dump-incomplete" },
    );
  }
}
