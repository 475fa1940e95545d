/** The error codes that plg distinguishes, and descriptions of system errors. */
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { errno } from "./libc.ts";

const { errno: codes } = constants;
export const EADDRINUSE: number = codes.EADDRINUSE;
export const EADDRNOTAVAIL: number = codes.EADDRNOTAVAIL;
export const EAGAIN: number = codes.EAGAIN;
export const ECONNABORTED: number = codes.ECONNABORTED;
export const ECONNREFUSED: number = codes.ECONNREFUSED;
export const ECONNRESET: number = codes.ECONNRESET;
export const EFAULT: number = codes.EFAULT;
export const EINPROGRESS: number = codes.EINPROGRESS;
export const EINTR: number = codes.EINTR;
export const EMFILE: number = codes.EMFILE;
export const ENFILE: number = codes.ENFILE;
export const ENOENT: number = codes.ENOENT;
export const EPIPE: number = codes.EPIPE;

const words: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
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

/** An unexpected failure of a system call. The message names the call, the subject and the code. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;

  constructor(call: string, subject: string, errorNumber: number) {
    const code = getSystemErrorName(-errorNumber);
    super(`${call} of ${subject} failed: ${code}${words[code] ? ` (${words[code]})` : ""}`);
    this.code = code;
  }
}

/** Returns `result`, or throws a {@link SystemError} if the call failed with -1. */
export function check(result: number, call: string, subject: string): number {
  if (result < 0) throw new SystemError(call, subject, errno());
  return result;
}
