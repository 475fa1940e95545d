/**
 * Compares how commands end with how they ended in the recording, which is part of their behavior.
 */
import type { CommandExit } from "../../dump/format/schema.ts";
import type { Difference, EndState } from "./differences.ts";

/** Signals that end a crashing program: those that dump core by default (signal(7)). */
const crashSignals: ReadonlyMap<number, string> = new Map([
  [3, "SIGQUIT"],
  [4, "SIGILL"],
  [5, "SIGTRAP"],
  [6, "SIGABRT"],
  [7, "SIGBUS"],
  [8, "SIGFPE"],
  [11, "SIGSEGV"],
  [31, "SIGSYS"],
]);

/**
 * If a signal ends a shell's command, the shell exits with this plus the signal's number (POSIX,
 * XCU 2.8.2).
 */
const shellSignalBase = 128;

/** The signal that a command crashed with, even if its shell reports it as an exit code. */
export function crashOf({ exitCode, signal }: EndState): string | undefined {
  if (signal !== undefined) return [...crashSignals.values()].find((name) => name === signal);
  return crashSignals.get((exitCode ?? 0) - shellSignalBase);
}

/**
 * The difference in a command's end, if there is one. A command that the recorder stopped had not
 * reached its end, so now it may end in any way except by crashing. `mayStop`: whether it is fine
 * that a command had to be stopped this time, for example because the user cut the replay short.
 */
export function compareEnd(
  process: string,
  recordedExit: CommandExit | undefined,
  now: EndState,
  mayStop: boolean,
): Difference | undefined {
  const recorded = recordedExit && stateOf(recordedExit);
  if (recorded === undefined) return undefined;
  if (now.stopped ? mayStop || recorded.stopped : isSameEnd(recorded, now)) return undefined;
  return { kind: "command-end", process, recorded, now };
}

/** Undefined if the recording does not say how the command ended. */
function stateOf({ exitCode, signal, stoppedAtNs }: CommandExit): EndState | undefined {
  const stopped = stoppedAtNs !== undefined;
  if (exitCode === undefined && signal === undefined && !stopped) return undefined;
  return { exitCode, signal, stopped };
}

function isSameEnd(recorded: EndState, now: EndState): boolean {
  if (recorded.stopped) return crashOf(now) === undefined;
  return recorded.exitCode === now.exitCode && recorded.signal === now.signal;
}
