/** Runs ./plg, and what it leaves behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { programPath } from "../programs/program-path.ts";

export interface Ended {
  /** Undefined if it had to be killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

const mostOutputBytes = 1_000_000;

/** Runs plg of the working directory, in `folder`. It is killed after `limitMs`. */
export async function runPlg(
  args: readonly string[],
  folder: string,
  limitMs: number,
  marker: string,
): Promise<Ended> {
  const startedMs = performance.now();
  const child = spawn(join(process.cwd(), "plg"), args, {
    cwd: folder,
    env: { ...process.env, PATH: programPath, PLG_TEST: marker },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const exitCode = await ending(child, limitMs);
  const durationMs = performance.now() - startedMs;
  return { exitCode, stdout: stdout(), stderr: stderr(), durationMs };
}

function collect(stream: ChildProcess["stdout"]): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (more: string) => {
    if (text.length < mostOutputBytes) text += more;
  });
  return () => text;
}

function ending(child: ChildProcess, limitMs: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timeout);
      resolve(exitCode ?? undefined);
    });
  });
}
