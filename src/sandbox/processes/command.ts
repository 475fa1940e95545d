/**
 * A user's command: `/bin/sh -c`, in its container, in a session of its own, as whoever it is to run.
 * libuv gives the child default dispositions and an empty signal mask (uv__process_child_init).
 */
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SystemError } from "../../sys/errno.ts";
import { LineCutter } from "./lines.ts";
import type { Program, ProgramEnd } from "./spawner.ts";
import type { SpawnFailure } from "./spawner-task.ts";
import type { ContainerPlan } from "../network/topology.ts";

/** Whom a command runs as; undefined means as the caller. Numbers, or names that the system knows. */
export interface Identity {
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  /** No program that it runs, set-user-ID or not, gives it more privileges (PR_SET_NO_NEW_PRIVS). */
  readonly noNewPrivs?: boolean | undefined;
}

/** How a command ended: its exit code, or the signal that ended it. */
export interface CommandEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** Since it was started, in milliseconds. */
  readonly lastedMs: number;
  /** It was still running when plg stopped it: how it ended is then no failure. */
  readonly stopped: boolean;
  /** Why nothing was started at all, if so. */
  readonly failure?: string | undefined;
}

/** What a shell exits with if it cannot execute a command, or does not find it (POSIX, XCU 2.8.2). */
export const ShellExit = { notExecutable: 126, notFound: 127 } as const;

/** Whether the command was started at all, as far as its end shows. */
export function couldStart({ exitCode, failure }: CommandEnd): boolean {
  const isShellsOwn = exitCode === ShellExit.notFound || exitCode === ShellExit.notExecutable;
  return failure === undefined && !isShellsOwn;
}

/** Where a command's output goes. */
export interface OutputSink {
  /**
   * Lines, without their newlines, that came together. True if the sink is congested: then `whenDrained`
   * tells when to go on.
   */
  lines(
    container: ContainerPlan,
    stream: "stdout" | "stderr",
    lines: readonly Uint8Array[],
  ): boolean;
  /** Output as it comes, if lines are not wanted. Congestion as above. */
  raw?: ((stream: "stdout" | "stderr", chunk: Uint8Array) => boolean) | undefined;
  whenDrained(resume: () => void): void;
}

/** How long a command's output is waited for after its end. */
const outputPatienceMs = 200;

export class Command {
  readonly plan: ContainerPlan;
  /** Settles when the command has ended and its output was passed on. Never rejects. */
  readonly ended: Promise<CommandEnd>;
  end: CommandEnd | undefined;
  readonly #program: Program;
  /** In milliseconds of `performance.now()`. */
  readonly startedMs: number = performance.now();
  #stopped = false;

  /** `program` is the command, just started: see {@link programFor}. */
  constructor(plan: ContainerPlan, program: Program, output: OutputSink) {
    this.plan = plan;
    this.#program = program;
    const streams = (["stdout", "stderr"] as const).map((name) => this.#pass(name, output));
    this.ended = this.#waitForEnd(streams);
  }

  isRunning(): boolean {
    return this.end === undefined;
  }

  /** From now on the command's end is plg's doing, not its own. */
  markStopped(): void {
    if (this.isRunning()) this.#stopped = true;
  }

  async #waitForEnd(streams: readonly Promise<void>[]): Promise<CommandEnd> {
    const end = await this.#program.ended;
    this.end = {
      ...outcomeOf(end),
      lastedMs: performance.now() - this.startedMs,
      stopped: this.#stopped,
    };
    // A daemon that it left behind may hold its output open: that is no reason to wait for long.
    await Promise.race([Promise.all(streams), sleep(outputPatienceMs, undefined, { ref: false })]);
    return this.end;
  }

  async #pass(name: "stdout" | "stderr", output: OutputSink): Promise<void> {
    const stream = this.#program[name];
    const { raw } = output;
    const lines: Uint8Array[] = [];
    const cutter = new LineCutter((line) => lines.push(line));
    const passLines = (): boolean =>
      lines.length > 0 && output.lines(this.plan, name, lines.splice(0));
    stream.on("data", (chunk: Uint8Array) => {
      if (!raw) cutter.push(chunk);
      const congested = raw ? raw(name, chunk) : passLines();
      if (!congested) return;
      stream.pause();
      output.whenDrained(() => stream.resume());
    });
    await finished(stream).catch(() => {});
    cutter.end();
    passLines();
  }
}

/** As a shell has it. */
function outcomeOf(end: ProgramEnd): Pick<CommandEnd, "exitCode" | "signal" | "failure"> {
  if ("failure" in end)
    return {
      exitCode: ShellExit.notFound,
      signal: undefined,
      failure: describeFailure(end.failure),
    };
  return { exitCode: end.exitCode ?? undefined, signal: end.signal ?? undefined };
}

/** `path` is what could not be executed: the shell, or what is to lead to it. */
function describeFailure({ errno, path, message }: SpawnFailure): string {
  if (errno === undefined || path === undefined) return message;
  return new SystemError("the start", path, -errno).message;
}

/** The program that runs a command as somebody. */
export function programFor(
  command: string,
  identity: Identity,
): { readonly file: string; readonly args: readonly string[] } {
  const [file, ...args] = argumentsFor(command, identity);
  return { file, args };
}

/** setpriv(1) changes the user, with supplementary groups, which Node's own `uid` option drops. */
function argumentsFor(command: string, { uid, gid, noNewPrivs }: Identity): [string, ...string[]] {
  const args: string[] = [];
  // Without root, unshare leaves the caller's capabilities inheritable, which no change of the user clears.
  if (uid !== undefined) args.push("--reuid", uid, "--inh-caps=-all");
  if (gid !== undefined) args.push("--regid", gid);
  if (args.length > 0)
    args.push(uid === undefined || /^\d+$/.test(uid) ? "--clear-groups" : "--init-groups");
  if (noNewPrivs) args.push("--no-new-privs");
  const shell = ["/bin/sh", "-c", command] as const;
  return args.length === 0 ? [...shell] : ["setpriv", ...args, ...shell];
}
