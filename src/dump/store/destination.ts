/**
 * The place where a recording goes: locked against other recorders, and careful with what is there.
 *
 * A file that is there stays as it is until the new recording begins. Then it moves to
 * `PATH.previous`, and the new file appears at `PATH` in one step (rename(2)), so that a reader
 * finds one of the two at any time. If the run comes to nothing, `withdraw` undoes the move. A
 * `PATH.previous` that was there before waits as `PATH.previous~` until the new recording counts.
 *
 * The lock is on the file, not on the path, and a path may come to mean another file at any time.
 * So after locking, the path is looked up again; a recorder that finds another file starts over.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { allOrNothingNow } from "../../base/undo-stack.ts";
import { UsageError } from "../../base/errors.ts";
import type { Fd } from "../../base/units.ts";
import { tryLock } from "../../sys/file-lock.ts";
import { describeErrno, type DumpFile, isNullDevice, namingDump, openDumpFile } from "./file.ts";
import { isDump } from "./reader.ts";

/** What may be done to a file that is there already. */
export interface ReplacePolicy {
  /** Whether a file that is not a recording may be replaced. */
  readonly force: boolean;
}

/** Readable and writable for its owner only. */
const mode = 0o600;

export class DumpDestination {
  readonly #given: string;
  /** Behind symbolic links: the file that a rename has to replace. */
  readonly #path: string;
  readonly #isNew: boolean;
  #lock: Fd | undefined;
  #previous: string | undefined;
  #hadPrevious = false;

  private constructor(given: string, path: string, isNew: boolean, lock: Fd | undefined) {
    this.#given = given;
    this.#path = path;
    this.#isNew = isNew;
    this.#lock = lock;
  }

  /**
   * Locks `path`, and changes nothing but that the file exists. Throws a {@link UsageError} if it
   * cannot be written, if another recorder writes it, or if it holds something other than a
   * recording and the policy does not allow to replace that.
   */
  static claim(path: string, { force }: ReplacePolicy): DumpDestination {
    return namingDump(path, () => {
      if (isNullDevice(statSync(path, { throwIfNoEntry: false })))
        return new DumpDestination(path, path, false, undefined);
      return allOrNothingNow((undos) => {
        const isNew = !existsSync(path);
        const lock = lockFile(path);
        if (isNew) undos.push(() => rmSync(path, { force: true }));
        undos.push(() => closeSync(lock));
        const real = realpathSync(path);
        if (force || fstatSync(lock).size === 0 || isDump(real))
          return new DumpDestination(path, real, isNew, lock);
        throw new UsageError(`${path} is not a recording of plg, so it is not replaced`, {
          code: "dump-protected",
        });
      });
    });
  }

  /**
   * The name of the recording that was at this path before, once {@link open} has moved it there.
   */
  get previous(): string | undefined {
    return this.#previous;
  }

  /** Moves a recording that is there out of the way, and opens the file for the new one. */
  open(): DumpFile {
    return namingDump(this.#given, () => {
      if (this.#lock === undefined || fstatSync(this.#lock).size === 0)
        return openDumpFile(this.#path, this.#given);
      return this.#openInstead();
    });
  }

  /** Puts a recording that is elsewhere on the same file system at this path. */
  adopt(path: string): void {
    namingDump(this.#given, () => {
      if (this.#lock !== undefined && fstatSync(this.#lock).size > 0) this.#moveAside();
      renameSync(path, this.#path);
    });
    this.keep();
  }

  /** The new recording counts. Does nothing after {@link withdraw}. */
  keep(): void {
    if (this.#hadPrevious) rmSync(`${this.#previous}~`, { force: true });
    this.#unlock();
  }

  /** The new recording came to nothing: the path is as it was before. */
  withdraw(): void {
    if (this.#previous !== undefined) {
      renameSync(this.#previous, this.#path);
      if (this.#hadPrevious) renameSync(`${this.#previous}~`, this.#previous);
    } else if (this.#isNew) rmSync(this.#path, { force: true });
    this.#unlock();
  }

  #openInstead(): DumpFile {
    const draft = `${this.#path}.${process.pid}`;
    return allOrNothingNow((undos) => {
      const file = openDumpFile(draft, this.#given);
      undos.push(() => rmSync(draft, { force: true }));
      undos.push(() => closeSync(file.fd));
      // Nobody else knows the draft, so the lock is free.
      const lock = lockFile(draft);
      undos.push(() => closeSync(lock));
      this.#moveAside();
      renameSync(draft, this.#path);
      this.#unlock();
      this.#lock = lock;
      return file;
    });
  }

  #moveAside(): void {
    const previous = `${this.#path}.previous`;
    try {
      allOrNothingNow((undos) => {
        this.#hadPrevious = existsSync(previous);
        if (this.#hadPrevious) renameSync(previous, `${previous}~`);
        undos.push(() => this.#hadPrevious && renameSync(`${previous}~`, previous));
        renameSync(this.#path, previous);
      });
    } catch (error) {
      const { code, words } = describeErrno(error);
      throw new UsageError(
        `cannot keep the recording ${this.#given} as ${previous}: ${words} (${code})`,
        { cause: error, code: "dump-unwritable" },
      );
    }
    this.#previous = previous;
  }

  #unlock(): void {
    if (this.#lock !== undefined) closeSync(this.#lock);
    this.#lock = undefined;
  }
}

/** Opens the file, creating it if need be, and locks it. */
function lockFile(path: string): Fd {
  for (;;) {
    const fd = tryLockFile(path);
    if (fd !== undefined) return fd;
  }
}

/** Returns undefined if the path has come to mean another file in the meantime. */
function tryLockFile(path: string): Fd | undefined {
  return allOrNothingNow((undos) => {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, mode) as Fd;
    undos.push(() => closeSync(fd));
    if (!tryLock(fd, "exclusive"))
      throw new UsageError(`another plg is recording to ${path}`, { code: "dump-in-use" });
    if (isSameFile(fd, path)) return fd;
    closeSync(fd);
    return undefined;
  });
}

function isSameFile(fd: Fd, path: string): boolean {
  const [opened, named] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return opened.dev === named?.dev && opened.ino === named.ino;
}

/** Whether a recorder has the dump open: then it is not whole yet. */
export function isBeingRecorded(path: string): boolean {
  const fd = openSync(path, constants.O_RDONLY) as Fd;
  try {
    return !tryLock(fd, "shared");
  } finally {
    closeSync(fd);
  }
}
