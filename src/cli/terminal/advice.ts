/** Adds the option that helps to an error. Lower layers do not know the options. */
import type { ErrorCode, PlgError } from "../../base/errors.ts";

const advice: Readonly<Record<ErrorCode, string>> = {
  "dump-foreign": "name another file with -f PATH, or give --force",
  "dump-in-use": "wait for it, or name another file with -f PATH",
  "dump-unreadable": "name the file to read with -f PATH",
  "dump-unwritable": "name another file with -f PATH",
  "subnet-too-small": "choose a larger one with -s",
};

/** The error in one line, with advice if there is any. */
export function messageOf({ message, code }: PlgError): string {
  const line = message.replaceAll(/\s*\n\s*/g, " ");
  return code === undefined ? line : `${line}; ${advice[code]}`;
}
