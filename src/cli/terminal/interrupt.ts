/** Ctrl-C and its kin. A run handles them itself; anything else just ends, and says so. */
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The signal that cut a run off, and what plg exits with then. */
export interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly exitCode: number;
}

/** What a run that a signal cut off exits with, as shells have it: 130 after Ctrl-C. */
export function interruptionBy(signal: NodeJS.Signals): Interruption {
  return { signal, exitCode: 128 + constants.signals[signal] };
}

/** From now on a signal ends plg with a message, unless {@link interruptible} handles it. */
export function endWhenInterrupted(): void {
  for (const signal of signals) process.on(signal, endNow);
}

/** From now on whoever calls this handles signals. */
export function leaveInterrupts(): void {
  for (const signal of signals) process.off(signal, endNow);
}

/** Nothing was made yet that needs an orderly end. */
function endNow(signal: NodeJS.Signals): void {
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
