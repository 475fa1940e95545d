/** Ctrl-C and its kin: the first asks the run to stop, the second makes it kill. */
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
