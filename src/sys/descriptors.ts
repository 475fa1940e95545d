/** This process' descriptors: how many there may be, of which a connection takes two, and who inherits them. */
import { readdirSync, readFileSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { F_SETFD, FD_CLOEXEC, RLIMIT_NOFILE } from "./abi.ts";
import { check } from "./errno.ts";
import { fcntl, getrlimit, setrlimit } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/** `struct rlimit { rlim_t rlim_cur, rlim_max; }`, both of 64 bits. */
const limit = allocateRegion(16);

/** How many descriptors this process may have open. */
export function descriptorLimit(): number {
  check(getrlimit(RLIMIT_NOFILE, limit.address), "getrlimit", "RLIMIT_NOFILE");
  return Number(limit.view.getBigUint64(0, true));
}

/**
 * Raises the limit as far as it goes: to what the kernel allows at all with privileges, to the hard
 * limit without. Children started later inherit it. Returns the limit.
 */
export function raiseDescriptorLimit(): number {
  descriptorLimit();
  const hard = limit.view.getBigUint64(8, true);
  if (!setBoth(kernelMaximum())) setBoth(hard);
  return descriptorLimit();
}

function setBoth(value: bigint): boolean {
  limit.view.setBigUint64(0, value, true);
  limit.view.setBigUint64(8, value, true);
  return setrlimit(RLIMIT_NOFILE, limit.address) === 0;
}

function kernelMaximum(): bigint {
  return BigInt(readFileSync("/proc/sys/fs/nr_open", "utf8").trim());
}

/**
 * Keeps what is open now, but for the standard streams, from children. Node opens everything so, and does this
 * to what it inherits, but stops at the first gap beyond 16 (uv_disable_stdio_inheritance).
 */
export function keepDescriptorsFromChildren(): void {
  for (const fd of readdirSync("/proc/self/fd").map(Number))
    // An error: the listing's own descriptor, which is closed again.
    if (fd > 2) fcntl(fd as Fd, F_SETFD, FD_CLOEXEC);
}
