/** Compares how commands ended with how they ended in the recording: it is part of their behavior. */
import type { CommandExit } from "../../dump/format/schema.ts";
import type { Difference, EndState } from "./differences.ts";

/** Signals by which a program that breaks ends itself: those that dump core (signal(7)). */
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

/** A shell exits with this and the signal's number if a signal ended its command (POSIX, XCU 2.8.2). */
const shellSignalBase = 128;

/** The signal by which a command crashed, even if its shell reports that as an exit code. */
export function crashOf({ exitCode, signal }: EndState): string | undefined {
  if (signal !== undefined) return [...crashSignals.values()].find((name) => name === signal);
  return crashSignals.get((exitCode ?? 0) - shellSignalBase);
}

/**
 * The difference of a command's end, if there is one. A command that the recorder stopped had not
 * come to its end, so it may end now as it likes, but not crash. `mayStop`: whether commands that
 * were stopped now had their time; not if the replay was cut off, say.
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

/** Undefined if the recording does not say. */
function stateOf({ exitCode, signal, stoppedAtNs }: CommandExit): EndState | undefined {
  const stopped = stoppedAtNs !== undefined;
  if (exitCode === undefined && signal === undefined && !stopped) return undefined;
  return { exitCode, signal, stopped };
}

function isSameEnd(recorded: EndState, now: EndState): boolean {
  if (recorded.stopped) return crashOf(now) === undefined;
  return recorded.exitCode === now.exitCode && recorded.signal === now.signal;
}
