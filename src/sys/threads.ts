/** The threads of a container's processes, from /proc as proc_pid_stat(5) lays it out. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Namespace } from "./namespace.ts";

/** Enough to return from a system call and go on: some microseconds, many times over. */
const progressNs = 100_000;
/** More than the timers of an idle server need between two looks. */
const workNs = 1_000_000;

/**
 * Watches for threads in a network namespace that are ready to run, and that the kernel does not
 * let run.
 */
export class StarvingThreads {
  readonly #procPath: string;
  readonly #network: Namespace;
  /** By the thread's path: the processor time that it had when it was first found ready. */
  readonly #foundAtNs = new Map<string, number>();

  /**
   * `procPath`: a mount of /proc that lists the processes. Those that may not be looked at do not
   * count.
   */
  constructor(procPath: string, network: Namespace) {
    this.#procPath = procPath;
    this.#network = network;
  }

  /**
   * Whether a thread is ready to run that has had no processor to speak of since it was first found
   * so.
   */
  hasOne(): boolean {
    return threadsIn(this.#procPath, this.#network).some((path) => this.#isStarving(path));
  }

  #isStarving(threadPath: string): boolean {
    if (stateOf(threadPath) !== "R") return false;
    const nowNs = processorTimeNs(threadPath);
    const foundAtNs = this.#foundAtNs.get(threadPath) ?? nowNs;
    this.#foundAtNs.set(threadPath, foundAtNs);
    return nowNs - foundAtNs < progressNs;
  }
}

/** Watches whether the processes in a network namespace work, or all wait for something. */
export class WorkingThreads {
  readonly #procPath: string;
  readonly #network: Namespace;
  #processorNs = 0;

  /** `procPath` as for {@link StarvingThreads}. */
  constructor(procPath: string, network: Namespace) {
    this.#procPath = procPath;
    this.#network = network;
  }

  /**
   * Whether a thread runs, wants to run or waits for a disk, or has had processor time to speak of
   * since the last call.
   */
  haveWorked(): boolean {
    const threads = threadsIn(this.#procPath, this.#network);
    const states = threads.map(stateOf);
    const processorNs = threads.reduce((sum, path) => sum + processorTimeNs(path), 0);
    const gainedNs = processorNs - this.#processorNs;
    this.#processorNs = processorNs;
    return gainedNs > workNs || states.some((state) => state === "R" || state === "D");
  }
}

/** The paths of all threads in a network namespace. */
function threadsIn(procPath: string, network: Namespace): string[] {
  const link = readlinkSync(`/proc/self/fd/${network.fd}`);
  return numbersIn(procPath).flatMap((pid) => {
    const path = `${procPath}/${pid}`;
    if (!isInNetwork(path, link)) return [];
    return numbersIn(`${path}/task`).map((thread) => `${path}/task/${thread}`);
  });
}

function isInNetwork(processPath: string, link: string): boolean {
  try {
    return readlinkSync(`${processPath}/ns/net`) === link;
  } catch {
    return false; // It ended, or it is somebody else's.
  }
}

/** The program's name, in brackets, may itself have brackets and spaces. */
function stateOf(threadPath: string): string | undefined {
  const text = readIfThere(`${threadPath}/stat`);
  return text?.charAt(text.lastIndexOf(")") + 2);
}

/**
 * Of schedstat, the first number (Documentation/scheduler/sched-stats.rst). 0 where the kernel
 * keeps none.
 */
function processorTimeNs(threadPath: string): number {
  return Number.parseInt(readIfThere(`${threadPath}/schedstat`) ?? "0", 10);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined; // It ended.
  }
}

function numbersIn(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /^\d/.test(name));
  } catch {
    return []; // The run's processes are gone.
  }
}
