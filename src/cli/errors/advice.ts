/** Describes an error in the terms of the command line: names the option at fault or of help. */
import type { ErrorCode, PlgError } from "../../base/errors.ts";

const advice: Readonly<Partial<Record<ErrorCode, string>>> = {
  "no-command": "pass at least one, as in: plg record 'sleep 1'",
  "subnet-too-small": "choose a larger one with -s",
  "dump-protected": "name another file with -f PATH, or give --force",
  "dump-in-use": "wait for it, or name another file with -f PATH",
  "dump-unreadable": "name the file to read with -f PATH",
  "dump-unwritable": "name another file with -f PATH",
  "no-policy-routing": "if only IPv6 is without, use --no-ipv6",
  "sandbox-unavailable": "see 'plg doctor'",
};

/** The commands that write their dump with `-o` rather than `-f`. */
const writers: ReadonlySet<string | undefined> = new Set(["import", "export"]);

/**
 * The error in one line: the option that it concerns, the message, and advice if there is any.
 * `command` is the command's name.
 */
export function messageOf({ message, code, argument }: PlgError, command?: string): string {
  const line = message.replaceAll(/\s*\n\s*/g, " ");
  const named = argument === undefined ? line : `--${argument} ${line}`;
  const help = advice[code];
  if (help === undefined) return named;
  const isOutput = writers.has(command) && code !== "dump-unreadable";
  return `${named}; ${isOutput ? help.replace("-f PATH", "-o PATH") : help}`;
}
