/** Whether a thread works or sleeps, as /proc reports it. */
import type { ProcReader } from "../sys/process-memory.ts";
import type { Architecture } from "./core/architecture.ts";

export class ThreadStates {
  readonly #proc: ProcReader;
  /** Calls that plg answers and that would not sleep otherwise. */
  readonly #quickCalls: ReadonlySet<number | undefined>;

  readonly #waits: ReadonlySet<number>;

  constructor(proc: ProcReader, architecture: Architecture) {
    const { getrandom, clockGettime, gettimeofday, time, waits } = architecture;
    this.#proc = proc;
    this.#quickCalls = new Set([getrandom, clockGettime, gettimeofday, time]);
    this.#waits = new Set(waits);
  }

  /**
   * Whether a thread runs (proc_pid_stat(5)), or waits for plg to answer a call that would not
   * sleep otherwise (proc_pid_syscall(5)).
   */
  runs(tid: number): boolean {
    const state = this.#stateOf(tid);
    return state === "R" || (state === "S" && this.#quickCalls.has(this.#callOf(tid)));
  }

  /** Whether a thread runs, or waits for a disk. */
  works(tid: number): boolean {
    return this.runs(tid) || this.#stateOf(tid) === "D";
  }

  /** Whether a thread sleeps until any of several files is ready. */
  waitsForFiles(tid: number): boolean {
    return this.#waits.has(this.#callOf(tid));
  }

  /** Whether a process has ended; its parent may not have noticed yet. */
  hasEnded(pid: number): boolean {
    return ["Z", "X", undefined].includes(this.#stateOf(pid));
  }

  /** NaN while it runs. */
  #callOf(tid: number): number {
    return Number.parseInt(this.#proc.text(`${tid}/syscall`) ?? "", 10);
  }

  #stateOf(tid: number): string | undefined {
    return /^.*\) (.)/.exec(this.#proc.text(`${tid}/stat`) ?? "")?.[1];
  }
}
