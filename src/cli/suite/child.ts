/** Runs another plg, for one recording of a suite. */
import { spawn } from "node:child_process";
import { mainModule } from "../launch/main-module.ts";

export interface ChildEnd {
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs plg with these arguments in a folder. If `signal` is aborted, the child gets SIGTERM, stops
 * its commands and ends.
 */
export function runChild(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mainModule, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const taken = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => (taken[name] += text));
    const stop = (): void => void child.kill("SIGTERM");
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (exitCode) => {
      signal.removeEventListener("abort", stop);
      resolve({ exitCode: exitCode ?? undefined, ...taken });
    });
  });
}
