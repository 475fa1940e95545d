/** What /proc says about processes. One that has ended meanwhile is no error: it is not there. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export function childrenOf(pid: number): number[] {
  return reading(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
}

/** How /proc names a namespace of a process, such as `pid:[4026531836]`. */
export function namespaceOf(pid: number, kind: "net" | "mnt" | "pid"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** A namespace that is held open, so that the kernel gives its number to no other. */
export interface HeldNamespace {
  readonly link: string;
  release(): void;
}

/** Holds the PID namespace of a process, if it has not ended. */
export function holdPidNamespace(pid: number): HeldNamespace | undefined {
  try {
    const fd = openSync(`/proc/${pid}/ns/pid`, "r");
    return { link: readlinkSync(`/proc/self/fd/${fd}`), release: () => closeSync(fd) };
  } catch {
    return undefined;
  }
}

/** Whether a process is the first one of a PID namespace below this one. */
export function isFirstInPidNamespace(pid: number): boolean {
  return /^NSpid:(\t\d+)+\t1$/m.test(reading(`/proc/${pid}/status`));
}

/** The processes in a PID namespace and in those below it, as "PID command line". */
export function processesInPidNamespace(link: string): string[] {
  const pids = allProcesses();
  const links = new Set([link]);
  // A namespace is below the one that the parent of its first process is in.
  for (let known = 0; known < links.size;) {
    known = links.size;
    for (const pid of pids.filter(isFirstInPidNamespace)) {
      const [own, above] = [pid, parentOf(pid)].map((one) => namespaceOf(one, "pid"));
      if (own !== undefined && above !== undefined && links.has(above)) links.add(own);
    }
  }
  return described(pids.filter((pid) => links.has(namespaceOf(pid, "pid") ?? "")));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(reading(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** The processes that have inherited an environment variable, given as NAME=value. */
export function processesMarked(variable: string): string[] {
  return described(
    allProcesses().filter((pid) => reading(`/proc/${pid}/environ`).split("\0").includes(variable)),
  );
}

/** A figure from /proc/PID/status, such as VmHWM, in kB. */
export function statusKilobytes(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s*(\\d+) kB`, "m").exec(reading(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0);
}

/**
 * The processor time that a process has taken: utime and stime of proc_pid_stat(5), in ticks of 10
 * ms.
 */
export function cpuMilliseconds(pid: number): number {
  const text = reading(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Zombies do not count: they have ended, and whoever started them has not looked yet. */
function described(pids: readonly number[]): string[] {
  return pids
    .filter((pid) => /^State:\s+[^ZX]/m.test(reading(`/proc/${pid}/status`)))
    .map((pid) => `${pid} ${reading(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`);
}

function reading(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
