/**
 * Handles Ctrl-C and similar signals. A run handles them itself; otherwise plg exits with a
 * message.
 */
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The signal that cut a run off, and plg's exit code for it. */
export interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly exitCode: number;
}

/** The interruption by a signal. Its exit code follows shells: 130 after Ctrl-C. */
export function interruptionBy(signal: NodeJS.Signals): Interruption {
  return { signal, exitCode: 128 + constants.signals[signal] };
}

/** Makes signals end plg with a message, except within {@link interruptible}. */
export function endWhenInterrupted(): void {
  for (const signal of signals) process.on(signal, endNow);
}

/** Leaves signals to the caller from now on. */
export function leaveInterrupts(): void {
  for (const signal of signals) process.off(signal, endNow);
}

/** Ends plg at once: there is nothing to clean up yet. */
export function endNow(signal: NodeJS.Signals): void {
  process.stderr.write(`plg: ended by ${signal}\n`);
  process.exit(interruptionBy(signal).exitCode);
}

/** Calls `stop` for each such signal while `body` runs. */
export async function interruptible<T>(
  stop: (signal: NodeJS.Signals) => void,
  body: () => Promise<T>,
): Promise<T> {
  for (const signal of signals) process.on(signal, stop).off(signal, endNow);
  try {
    return await body();
  } finally {
    for (const signal of signals) process.on(signal, endNow).off(signal, stop);
  }
}
