/**
 * A user's command: `/bin/sh -c` in its container, in a session of its own, under the given
 * identity. libuv gives the child default signal dispositions and an empty signal mask
 * (uv__process_child_init).
 */
import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SystemError } from "../../sys/errno.ts";
import { LineCutter } from "./lines.ts";
import type { Program, ProgramEnd } from "./spawner.ts";
import type { SpawnFailure } from "./spawner-task.ts";
import type { ContainerPlan } from "../network/topology.ts";

/**
 * The identity a command runs under: numbers, or names that the system knows. The caller's if
 * undefined.
 */
export interface Identity {
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  /** Set-user-ID programs and the like give it no further privileges (PR_SET_NO_NEW_PRIVS). */
  readonly noNewPrivs?: boolean | undefined;
}

/** How a command ended: its exit code, or the signal that ended it. */
export interface CommandEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The time since its start, in milliseconds. */
  readonly lastedMs: number;
  /** plg stopped it while it was running, so the way it ended is no failure. */
  readonly stopped: boolean;
  /** Why the program could not be started, if so. */
  readonly failure?: string | undefined;
}

/** A shell's exit codes for a command that it cannot execute or find (POSIX, XCU 2.8.2). */
export const ShellExit = { notExecutable: 126, notFound: 127 } as const;

/** Why a command never started: the end of "could not be started". */
export interface NotStarted {
  readonly notStarted: string;
}

/** Whether the command was started, as far as its end shows. */
export function couldStart({ exitCode, failure }: CommandEnd): boolean {
  const isShellsOwn = exitCode === ShellExit.notFound || exitCode === ShellExit.notExecutable;
  return failure === undefined && !isShellsOwn;
}

/** The destination of commands' output. */
export interface OutputSink {
  /**
   * Takes lines that arrived together, without their newlines. Returns true if the sink is
   * congested: `whenDrained` then says when to continue.
   */
  lines(
    container: ContainerPlan,
    stream: "stdout" | "stderr",
    lines: readonly Uint8Array[],
  ): boolean;
  /** Takes output unchanged, in place of lines. Returns congestion like `lines`. */
  raw?: ((stream: "stdout" | "stderr", chunk: Uint8Array) => boolean) | undefined;
  whenDrained(resume: () => void): void;
}

/** How long to wait for the rest of a command's output after its end. */
const outputPatienceMs = 200;

export class Command {
  readonly plan: ContainerPlan;
  /** Settles when the command has ended and its output has been passed on. Never rejects. */
  readonly ended: Promise<CommandEnd>;
  end: CommandEnd | undefined;
  /** The start, in milliseconds of `performance.now()`. */
  startedMs: number = performance.now();
  #stopped = false;

  /**
   * `program` is the started command (see {@link programFor}), or a promise of one that starts
   * later. Why it never started, if so, takes the program's place.
   */
  constructor(
    plan: ContainerPlan,
    program: Program | Promise<Program | NotStarted>,
    output: OutputSink,
  ) {
    this.plan = plan;
    this.ended =
      program instanceof Promise
        ? this.#startLater(program, output)
        : this.#follow(program, output);
  }

  isRunning(): boolean {
    return this.end === undefined;
  }

  /** Attributes the command's end to plg from now on. */
  markStopped(): void {
    if (this.isRunning()) this.#stopped = true;
  }

  async #startLater(
    starting: Promise<Program | NotStarted>,
    output: OutputSink,
  ): Promise<CommandEnd> {
    const program = await starting;
    if (!("notStarted" in program)) return this.#follow(program, output);
    const failure = { message: program.notStarted };
    this.end = { ...outcomeOf({ failure }), lastedMs: 0, stopped: this.#stopped };
    return this.end;
  }

  async #follow(program: Program, output: OutputSink): Promise<CommandEnd> {
    this.startedMs = performance.now();
    const streams = (["stdout", "stderr"] as const).map((name) =>
      this.#pass(program[name], name, output),
    );
    const end = await program.ended;
    this.end = {
      ...outcomeOf(end),
      lastedMs: performance.now() - this.startedMs,
      stopped: this.#stopped,
    };
    // A daemon that the command left behind may hold its output open, so the wait is short.
    await Promise.race([Promise.all(streams), sleep(outputPatienceMs, undefined, { ref: false })]);
    return this.end;
  }

  async #pass(stream: Socket, name: "stdout" | "stderr", output: OutputSink): Promise<void> {
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

/** The end as a shell reports it. */
function outcomeOf(end: ProgramEnd): Pick<CommandEnd, "exitCode" | "signal" | "failure"> {
  if ("failure" in end)
    return {
      exitCode: ShellExit.notFound,
      signal: undefined,
      failure: describeFailure(end.failure),
    };
  return { exitCode: end.exitCode ?? undefined, signal: end.signal ?? undefined };
}

/** `path` is the program that could not be executed: the shell, or a wrapper around it. */
function describeFailure({ errno, path, message }: SpawnFailure): string {
  if (errno === undefined || path === undefined) return message;
  return new SystemError("the start", path, -errno).message;
}

/** Returns the program that runs a command under an identity. */
export function programFor(
  command: string,
  identity: Identity,
): { readonly file: string; readonly args: readonly string[] } {
  const [file, ...args] = argumentsFor(command, identity);
  return { file, args };
}

/** setpriv(1) also sets the supplementary groups, which Node's own `uid` option drops. */
function argumentsFor(command: string, { uid, gid, noNewPrivs }: Identity): [string, ...string[]] {
  const args: string[] = [];
  // Without root, unshare leaves the caller's capabilities inheritable, and changing the user does
  // not clear them.
  if (uid !== undefined) args.push("--reuid", uid, "--inh-caps=-all");
  if (gid !== undefined) args.push("--regid", gid);
  if (args.length > 0)
    args.push(uid === undefined || /^\d+$/.test(uid) ? "--clear-groups" : "--init-groups");
  if (noNewPrivs) args.push("--no-new-privs");
  const shell = ["/bin/sh", "-c", command] as const;
  return args.length === 0 ? [...shell] : ["setpriv", ...args, ...shell];
}
