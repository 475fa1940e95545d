/**
 * Waits for child processes, and stops them when the benchmark is interrupted or they take too
 * long.
 */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** How a child ended: its exit code, or the name of the signal. */
export type End = number | string;

/**
 * Resolves when the child has ended. If `signal` is aborted, the child is terminated, and killed 10
 * s later; its exit code is meaningless then (iperf3 reports success), so the promise rejects.
 */
export async function ended(child: ChildProcess, signal: AbortSignal): Promise<End> {
  const end = new Promise<End>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, name) => resolve(code ?? name ?? "unknown"));
  });
  const stop = (): void => terminate(child);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const value = await end;
    signal.throwIfAborted();
    return value;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Terminates a child and waits for its end, for at most `graceMs`. */
export async function dismiss(child: ChildProcess, graceMs: number): Promise<void> {
  if (hasEnded(child)) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await Promise.race([exit, sleep(graceMs, undefined, { ref: false })]);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function terminate(child: ChildProcess): void {
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  child.once("exit", () => clearTimeout(killer));
}
