/** Ctrl-C and its kin: the first asks the run to stop, the second makes it kill. */
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Without root a terminal's Ctrl-C comes twice: by itself, and passed on by the plg that the user started. */
const sameMs = 200;

/** Calls `stop` for each such signal while `body` runs. */
export async function interruptible<T>(
  stop: (signal: NodeJS.Signals) => void,
  body: () => Promise<T>,
): Promise<T> {
  let lastMs = -Infinity;
  const onSignal = (signal: NodeJS.Signals): void => {
    const isSame = performance.now() - lastMs < sameMs;
    lastMs = performance.now();
    if (!isSame) stop(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await body();
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/** What a run that was cut off by a signal exits with, as shells have it: 130 after Ctrl-C. */
export function interruptedExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
