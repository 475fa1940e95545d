/** Waits for a server to listen on the direct link; plg has `--wait-listen` for that. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { hasEnded } from "./child.ts";

const patienceMs = 60_000;

/** Resolves when a process listens on `port` in the network namespace of `server`. */
export async function whenListening(
  server: ChildProcess,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!isListening(server, port)) {
    signal.throwIfAborted();
    if (hasEnded(server)) throw new Error("the server ended at its start");
    if (performance.now() > endMs) throw new Error(`the server does not listen on port ${port}`);
    await sleep(20);
  }
}

/**
 * Reads proc_pid_net(5): local and remote address and port in hexadecimal, and the state (0A:
 * LISTEN).
 */
function isListening({ pid }: ChildProcess, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["tcp", "tcp6"].some((table) =>
    linesOf(`/proc/${pid}/net/${table}`).some((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      return state === "0A" && local.endsWith(suffix);
    }),
  );
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return []; // It has just ended, or there is no IPv6.
  }
}
