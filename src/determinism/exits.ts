/**
 * Makes a parent see a child's last output, then the child's end, then the end of its output.
 *
 * The kernel closes an exiting process's files and notifies its parent within microseconds, so a
 * parent that waits for both, as sshd does, sees them in either order, and sends different messages
 * in each case. plg separates them: the child exits once the parent sleeps, and its output stays
 * open until the parent sleeps again. A process that leaves a child of its own behind has the same
 * effect.
 */
import { readlinkSync } from "node:fs";
import { pid as ownPid } from "node:process";
import type { Fd } from "../base/units.ts";
import { close } from "../sys/libc.ts";
import { duplicateFrom, openProcess, type ProcReader } from "../sys/process-memory.ts";
import type { NotificationListener } from "../sys/seccomp.ts";
import type { ThreadStates } from "./thread-states.ts";

interface Exit {
  readonly id: bigint;
  readonly pid: number;
  readonly parent: number;
  /**
   * Its output, which plg holds open if the parent waits for several files; undefined before it
   * exits.
   */
  output: readonly Fd[] | undefined;
  untilMs: number;
}

/** A parent that works for this long is not waiting for its child. */
const longestHoldMs = 250;
const reviewMs = 1;
const outputs = [1, 2] as const;
const SIGCHLD = 17;

export class Exits {
  readonly #proc: ProcReader;
  readonly #states: ThreadStates;
  #exits: readonly Exit[] = [];

  constructor(proc: ProcReader, states: ThreadStates) {
    this.#proc = proc;
    this.#states = states;
  }

  /** Handles the exit that `listener` has just received. */
  onExit(listener: NotificationListener): void {
    const { id, tid } = listener;
    const status = this.#proc.text(`${tid}/status`) ?? "";
    const [pid, parent] = [numberIn(status, "Tgid"), numberIn(status, "PPid")];
    if (parent === ownPid || !this.#handlesEnds(parent)) return listener.letPass();
    const untilMs = performance.now() + longestHoldMs;
    this.#exits = [...this.#exits, { id, pid, parent, output: undefined, untilMs }];
  }

  /** Advances the exits. Returns how soon to do so again, if there are any. */
  review(listener: NotificationListener): number | undefined {
    if (this.#exits.length === 0) return undefined;
    const nowMs = performance.now();
    this.#exits = this.#exits.filter((exit) => !this.#isOver(exit, listener, nowMs));
    return reviewMs;
  }

  close(): void {
    for (const { output } of this.#exits) output?.forEach(close);
  }

  #isOver(exit: Exit, listener: NotificationListener, nowMs: number): boolean {
    const { id, pid, parent, output } = exit;
    const isLate = nowMs >= exit.untilMs;
    const isExpected = output === undefined || this.#states.hasEnded(pid);
    // A parent in vfork(2) waits uninterruptibly (D), and for this very exit.
    if (!isLate && (!isExpected || this.#states.runs(parent))) return false;
    if (output) {
      output.forEach(close);
      return true;
    }
    exit.output = this.#states.waitsForFiles(parent) ? this.#outputOf(pid) : [];
    exit.untilMs = nowMs + longestHoldMs;
    listener.letHeldPass(id);
    return exit.output.length === 0;
  }

  /** Opens what another process may read to its end: pipes and sockets. */
  #outputOf(pid: number): readonly Fd[] {
    const paths = outputs.map((fd) => [fd, pathOf(pid, fd)] as const);
    const wanted = paths.filter(([, path]) => /^(pipe|socket):|^\/dev\/pts\//.test(path));
    if (wanted.length === 0) return [];
    const process = openProcess(pid);
    if (process < 0) return [];
    const copies = wanted.map(([fd]) => duplicateFrom(process, fd)).filter((fd) => fd >= 0);
    close(process);
    return copies;
  }

  /** Whether a process has a handler for the ends of its children. */
  #handlesEnds(pid: number): boolean {
    const status = this.#proc.text(`${pid}/status`) ?? "";
    const caught = /^SigCgt:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
    return ((BigInt(`0x${caught}`) >> BigInt(SIGCHLD - 1)) & 1n) === 1n;
  }
}

/** A number in /proc/PID/status (proc_pid_status(5)); 0 if it is missing. */
function numberIn(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\t(\\d+)$`, "m").exec(status)?.[1] ?? 0);
}

function pathOf(pid: number, fd: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return "";
  }
}
