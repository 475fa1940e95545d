/** Ctrl-C and its kin: the first asks the run to stop, the second makes it kill. */
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `stop` for each such signal while `body` runs. */
export async function interruptible<T>(
  stop: (signal: NodeJS.Signals) => void,
  body: () => Promise<T>,
): Promise<T> {
  for (const signal of signals) process.on(signal, stop);
  try {
    return await body();
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

/** What a run that was cut off by a signal exits with, as shells have it: 130 after Ctrl-C. */
export function interruptedExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
