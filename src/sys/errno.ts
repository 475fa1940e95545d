/** Error codes that plg tells apart, and system errors in words. */
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { errno } from "./libc.ts";

const { errno: codes } = constants;
export const EADDRINUSE: number = codes.EADDRINUSE;
export const EADDRNOTAVAIL: number = codes.EADDRNOTAVAIL;
export const EAGAIN: number = codes.EAGAIN;
export const EALREADY: number = codes.EALREADY;
export const ECONNABORTED: number = codes.ECONNABORTED;
export const ECONNREFUSED: number = codes.ECONNREFUSED;
export const EINPROGRESS: number = codes.EINPROGRESS;
export const EINTR: number = codes.EINTR;
export const EMFILE: number = codes.EMFILE;
export const ENFILE: number = codes.ENFILE;

const words: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "device or resource busy",
  EEXIST: "already exists",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  ENFILE: "too many open files in the system",
  ENOENT: "no such file or directory",
  ENODEV: "no such device",
  ENOMEM: "out of memory",
  ENOSPC: "no space left on device",
  EPERM: "operation not permitted",
};

/** A system call that failed where it should not have: names the call, the code and the subject. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;

  constructor(call: string, subject: string, errorNumber: number) {
    const code = getSystemErrorName(-errorNumber);
    super(`${call} of ${subject} failed: ${code}${words[code] ? ` (${words[code]})` : ""}`);
    this.code = code;
  }
}

/** Returns `result`, or throws a {@link SystemError} if it is the -1 of a failed call. */
export function check(result: number, call: string, subject: string): number {
  if (result < 0) throw new SystemError(call, subject, errno());
  return result;
}
