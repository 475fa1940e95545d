/**
 * Another process' memory (process_vm_readv(2)), and what /proc says of it. Access is as ptrace(2)
 * would have it. Calls return -1 where the process has ended or is not ours to look at.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Address, Fd } from "../base/units.ts";
import { iovec, O_CLOEXEC, SYS_pidfd_getfd, SYS_pidfd_open } from "./abi.ts";
import { close, openat, processVmReadv, processVmWritev, read, syscall } from "./libc.ts";
import { allocateRegion, type Region } from "./memory.ts";

const vectors = allocateRegion(2 * iovec.sizeBytes);

function describe(vector: number, at: Address, lengthBytes: number): Address {
  const from = vector * iovec.sizeBytes;
  vectors.view.setBigUint64(from, BigInt(at), true);
  vectors.view.setBigUint64(from + iovec.lengthAt, BigInt(lengthBytes), true);
  return (vectors.address + from) as Address;
}

/** Reads up to `lengthBytes` at `at` of the process into `region`. Returns how many there were. */
export function readProcess(pid: number, at: Address, region: Region, lengthBytes: number): number {
  const local = describe(0, region.address, lengthBytes);
  return processVmReadv(pid, local, 1, describe(1, at, lengthBytes), 1, 0);
}

/** Writes the first `lengthBytes` of `region` at `at` of the process. Returns how many it wrote. */
export function writeProcess(
  pid: number,
  at: Address,
  region: Region,
  lengthBytes: number,
): number {
  const local = describe(0, region.address, lengthBytes);
  return processVmWritev(pid, local, 1, describe(1, at, lengthBytes), 1, 0);
}

/**
 * Writes over memory that the process itself cannot write to, such as its code: it gets a copy of
 * its own (proc_pid_mem(5)). False where that is not allowed.
 */
export function overwriteCode(pid: number, at: Address, bytes: Uint8Array): boolean {
  let memory: number | undefined;
  try {
    memory = openSync(`/proc/${pid}/mem`, constants.O_WRONLY);
    return writeSync(memory, bytes, 0, bytes.length, at) === bytes.length;
  } catch {
    return false;
  } finally {
    if (memory !== undefined) closeSync(memory);
  }
}

/** Opens a handle on a process (pidfd_open(2)); negative where it has ended. */
export function openProcess(pid: number): Fd {
  return syscall(SYS_pidfd_open, pid, 0, 0, 0) as Fd;
}

/** Opens what `fd` of another process is (pidfd_getfd(2)); negative where that is not allowed. */
export function duplicateFrom(process: Fd, fd: number): Fd {
  return syscall(SYS_pidfd_getfd, process, fd, 0, 0) as Fd;
}

/** Files of /proc, read whole and without a promise, into memory that is made once. */
export class ProcReader {
  readonly #folder: Fd;
  #buffer = allocateRegion(1 << 16);

  constructor() {
    this.#folder = openSync("/proc", constants.O_RDONLY | constants.O_DIRECTORY) as Fd;
  }

  /**
   * What the file says, until the next call; undefined if it cannot be read. `path` is relative to
   * /proc.
   */
  read(path: string): Buffer | undefined {
    const fd = openat(this.#folder, path, constants.O_RDONLY | O_CLOEXEC) as Fd;
    if (fd < 0) return undefined;
    let length = 0;
    for (;;) {
      const { bytes, address } = this.#buffer;
      const count = read(fd, (address + length) as Address, bytes.length - length);
      if (count <= 0) break;
      length += count;
      if (length === bytes.length) this.#grow(length);
    }
    close(fd);
    const { bytes } = this.#buffer;
    return Buffer.from(bytes.buffer, bytes.byteOffset, length);
  }

  text(path: string): string | undefined {
    return this.read(path)?.toString("latin1");
  }

  /**
   * By node:fs, which opened it: when a worker thread ends, Node closes the descriptors that it
   * still counts as open, and this number may be somebody else's by then.
   */
  close(): void {
    closeSync(this.#folder);
  }

  #grow(length: number): void {
    const larger = allocateRegion(2 * this.#buffer.bytes.length);
    larger.bytes.set(this.#buffer.bytes.subarray(0, length));
    this.#buffer = larger;
  }
}
