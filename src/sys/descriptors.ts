/** The limit on open descriptors, of which every connection of a recording takes two. */
import { readFileSync } from "node:fs";
import { RLIMIT_NOFILE } from "./abi.ts";
import { check } from "./errno.ts";
import { getrlimit, setrlimit } from "./libc.ts";
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
