/** Locks on files, by flock(2): they belong to the open file and go with its last descriptor. */
import type { Fd } from "../base/units.ts";
import { LOCK_EX, LOCK_NB, LOCK_SH } from "./abi.ts";
import { EAGAIN } from "./errno.ts";
import { errno, flock } from "./libc.ts";

const operations = { exclusive: LOCK_EX | LOCK_NB, shared: LOCK_SH | LOCK_NB } as const;

/**
 * Locks the file without waiting. Returns false if somebody else holds a lock that excludes this
 * one. A file system that has no locks counts as one where nobody holds any.
 */
export function tryLock(fd: Fd, how: "exclusive" | "shared"): boolean {
  return flock(fd, operations[how]) === 0 || errno() !== EAGAIN;
}
