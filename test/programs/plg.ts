/**
 * Runs ./plg as a user would, and cleans up behind it. Each test gets a folder of its own; when it
 * is over, no process of its runs may be left, and the folder goes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test as base } from "vitest";
import { programPath } from "./program-path.ts";
import {
  childrenOf,
  type HeldNamespace,
  holdPidNamespace,
  namespaceOf,
  processesInPidNamespace,
  processesMarked,
} from "./processes.ts";
import { eventually } from "./waiting.ts";

const root: string = fileURLToPath(new URL("../..", import.meta.url));
const plgPath: string = join(root, "plg");

/** Where the actors are: small programs that the tests run under plg. As a shell word. */
export function actor(name: string): string {
  return `'${process.execPath}' '${join(root, "test/programs/actors", name)}'`;
}

/** The same for one that is written in Python, because Node lacks a system call or an option. */
export function pythonActor(name: string): string {
  return `python3 '${join(root, "test/programs/actors", name)}'`;
}

const leftOpenMs = 1000;

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The run is killed after this long, which fails the test. */
  readonly timeoutMs?: number;
  /** What is started instead of ./plg: a program that runs it in its turn. */
  readonly through?: readonly string[];
  /** Whether standard output is kept, or thrown away. */
  readonly stdout?: "pipe" | "ignore";
}

/** How a run of plg ended. */
export interface Finished {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** A run of plg that goes on. */
export class Running {
  readonly pid: number;
  readonly ended: Promise<Finished>;
  stdout = "";
  stderr = "";
  #held: HeldNamespace | undefined;
  readonly #child: ChildProcess;

  constructor(marker: string, args: readonly string[], options: StartOptions) {
    const [file = plgPath, ...rest] = [...(options.through ?? []), plgPath, ...args];
    const startedMs = performance.now();
    const child = spawn(file, rest, {
      cwd: options.cwd,
      env: { ...process.env, PATH: programPath, ...options.env, PLG_TEST: marker },
      stdio: ["ignore", options.stdout ?? "pipe", "pipe"],
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    const watch = setInterval(() => this.#lookForNamespace(watch), 10);
    const { timeoutMs = 60_000 } = options;
    const timeout = setTimeout(() => {
      this.stderr += `\n(the test killed plg: it was not over after ${timeoutMs} ms)\n`;
      child.kill("SIGKILL");
    }, timeoutMs);
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (exitCode, signal) => {
        const durationMs = performance.now() - startedMs;
        const settle = (): void => {
          clearTimeout(timeout);
          clearInterval(watch);
          resolve({ exitCode, signal, stdout: this.stdout, stderr: this.stderr, durationMs });
        };
        child.once("close", settle);
        // A process that was left behind may hold the output open; that it was left is told
        // elsewhere.
        setTimeout(settle, leftOpenMs).unref();
      });
    });
    // Whoever waits hears of it; that nobody waits yet is no unhandled rejection.
    this.ended.catch(() => {});
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until what plg has printed so far matches. */
  async prints(pattern: RegExp, timeoutMs = 20_000): Promise<void> {
    await eventually(`plg prints ${pattern}`, () => pattern.test(this.stdout + this.stderr), {
      timeoutMs,
      explain: () => `${this.stdout}\n${this.stderr}`,
    });
  }

  /**
   * How /proc names the PID namespace of the commands, once there is one; it names no other until
   * `release`.
   */
  get pidNamespace(): string | undefined {
    return this.#held?.link;
  }

  release(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #lookForNamespace(watch: NodeJS.Timeout): void {
    const own = namespaceOf(process.pid, "pid");
    const inside = childrenOf(this.pid).find((pid) => (namespaceOf(pid, "pid") ?? own) !== own);
    const held = inside === undefined ? undefined : holdPidNamespace(inside);
    if (held === undefined || held.link === own) return held?.release();
    this.#held = held;
    clearInterval(watch);
  }
}

/** Starts plg, any number of times, for one test. */
export class Plg {
  readonly #marker = randomUUID();
  readonly #runs: Running[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts plg, in the test's folder unless told otherwise. */
  start(args: readonly string[], options: StartOptions = {}): Running {
    const running = new Running(this.#marker, args, { cwd: this.#folder, ...options });
    this.#runs.push(running);
    return running;
  }

  /** Runs plg to its end. */
  run(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
    return this.start(args, options).ended;
  }

  /** Processes of the runs so far that are still there, with what they are. */
  leftovers(): string[] {
    const inNamespaces = this.#runs.flatMap(({ pidNamespace }) =>
      pidNamespace === undefined ? [] : processesInPidNamespace(pidNamespace),
    );
    return [...new Set([...processesMarked(`PLG_TEST=${this.#marker}`), ...inNamespaces])];
  }

  /** Ends what a failed test left running, and makes sure that the runs left nothing. */
  async close(): Promise<void> {
    for (const run of this.#runs) {
      if (run.isRunning()) run.kill("SIGKILL");
      await run.ended.catch(() => {});
    }
    try {
      await eventually("no process of the run is left", () => this.leftovers().length === 0, {
        timeoutMs: 2000,
        explain: () => this.leftovers().join("\n"),
      });
    } catch (error) {
      for (const left of this.leftovers()) killIfThere(Number.parseInt(left, 10));
      throw error;
    } finally {
      for (const run of this.#runs) run.release();
    }
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Tests with a folder of their own, which any user can enter, and with plg. */
export const test = base.extend<{ folder: string; plg: Plg }>({
  folder: async ({ task }, use) => {
    const folder = mkdtempSync(
      join(tmpdir(), `plg-test-${task.name.replaceAll(/\W+/g, "-").slice(0, 30)}-`),
    );
    chmodSync(folder, 0o755);
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  plg: async ({ folder }, use) => {
    const plg = new Plg(folder);
    await use(plg);
    await plg.close();
  },
});

/** All went well; what was printed is shown if not. */
export function expectOk(run: Finished): void {
  expect(run, `${run.stdout}\n${run.stderr}`).toMatchObject({ exitCode: 0, signal: null });
}

/** The lines that one command printed, without its name. */
export function linesOf(run: { readonly stdout: string }, name: string): string[] {
  return run.stdout
    .split("\n")
    .filter((line) => line.startsWith(name) && line.slice(name.length).trimStart().startsWith("| "))
    .map((line) => line.slice(line.indexOf("| ") + 2));
}
