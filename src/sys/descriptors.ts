/** This process's descriptors: their limit (each connection needs two), and who inherits them. */
import { readdirSync, readFileSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { F_SETFD, FD_CLOEXEC, O_CLOEXEC, RLIMIT_NOFILE } from "./abi.ts";
import { check } from "./errno.ts";
import { close, fcntl, getrlimit, pipe2, setrlimit } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/** `struct rlimit { rlim_t rlim_cur, rlim_max; }`, both of 64 bits. */
const limit = allocateRegion(16);

/** The maximum number of open descriptors of this process. */
export function descriptorLimit(): number {
  check(getrlimit(RLIMIT_NOFILE, limit.address), "getrlimit", "RLIMIT_NOFILE");
  return Number(limit.view.getBigUint64(0, true));
}

/**
 * Raises the limit as far as possible: to the kernel's maximum with privileges, to the hard limit
 * without. Children started later inherit it, unless the function that it returns has set the
 * limits back.
 */
export function raiseDescriptorLimit(): () => void {
  descriptorLimit();
  const soft = limit.view.getBigUint64(0, true);
  const hard = limit.view.getBigUint64(8, true);
  const maximum = kernelMaximum();
  if (!setLimits(maximum, maximum)) setLimits(hard, hard);
  return () => setLimits(soft, hard);
}

function setLimits(soft: bigint, hard: bigint): boolean {
  limit.view.setBigUint64(0, soft, true);
  limit.view.setBigUint64(8, hard, true);
  return setrlimit(RLIMIT_NOFILE, limit.address) === 0;
}

function kernelMaximum(): bigint {
  return BigInt(readFileSync("/proc/sys/fs/nr_open", "utf8").trim());
}

/**
 * Sets close-on-exec on all open descriptors except the standard streams. Node opens its own
 * descriptors this way and also marks inherited ones, but stops at the first gap beyond 16
 * (uv_disable_stdio_inheritance).
 */
export function keepDescriptorsFromChildren(): void {
  for (const fd of readdirSync("/proc/self/fd").map(Number))
    // This fails for the descriptor of the listing itself, which is closed by now.
    if (fd > 2) fcntl(fd as Fd, F_SETFD, FD_CLOEXEC);
}

/** `int ends[2]` of pipe2(2). */
const ends = allocateRegion(8);

/** A pipe's ends. Their creator closes them. */
export interface Pipe {
  readonly readEnd: Fd;
  readonly writeEnd: Fd;
}

/** Makes a pipe; no program inherits its ends unless they are handed to it. */
export function createPipe(): Pipe {
  check(pipe2(ends.address, O_CLOEXEC), "pipe2", "a program's output");
  return {
    readEnd: ends.view.getInt32(0, true) as Fd,
    writeEnd: ends.view.getInt32(4, true) as Fd,
  };
}

/**
 * Closes a descriptor that a system call of ours made. A worker thread keeps account of the
 * descriptors of `node:fs`, and warns when that closes one that it does not know.
 */
export function closeDescriptor(fd: Fd): void {
  close(fd);
}
