/** The exit codes of plg, part of its contract. */
import type { ErrorCode, PlgError } from "../../base/errors.ts";
import type { Verdict } from "../../report/outcome.ts";

export const ExitCode = {
  ok: 0,
  commandFailed: 1,
  usage: 2,
  replayDiffers: 3,
  machine: 4,
  dump: 5,
  bug: 70,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const exitCodes: Readonly<Record<ErrorCode, ExitCode>> = {
  "invalid-argument": ExitCode.usage,
  "no-command": ExitCode.usage,
  "subnet-too-small": ExitCode.usage,
  "dump-protected": ExitCode.usage,
  "dump-in-use": ExitCode.usage,
  "dump-unwritable": ExitCode.usage,
  "commands-unconfirmed": ExitCode.usage,
  "machine-unsuitable": ExitCode.machine,
  "no-policy-routing": ExitCode.machine,
  "sandbox-unavailable": ExitCode.machine,
  "dump-incomplete": ExitCode.machine,
  "dump-unreadable": ExitCode.dump,
  "dump-damaged": ExitCode.dump,
  "dump-changed": ExitCode.dump,
  "capture-unreadable": ExitCode.dump,
};

/** The exit code for an error. */
export function exitCodeOf({ code }: PlgError): ExitCode {
  return exitCodes[code];
}

/** The exit code of a replay. An interruption brings its own. */
export function exitCodeOfReplay(
  verdict: Verdict,
  interrupted: { readonly exitCode: number } | undefined,
): number {
  if (interrupted) return interrupted.exitCode;
  if (verdict === "differed") return ExitCode.replayDiffers;
  return verdict === "failed" ? ExitCode.commandFailed : ExitCode.ok;
}
