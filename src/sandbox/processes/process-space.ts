/**
 * The process space of a run: one PID namespace and one mount namespace for all its commands. Each
 * container has its own compartment inside.
 *
 * The PID namespace ensures that no process outlives the run. Its first process, the keeper, reads
 * from a pipe whose other end only plg holds. When plg ends, for whatever reason, the keeper reads
 * the end of the pipe and exits. When the first process of a PID namespace exits, the kernel kills
 * all the others (pid_namespaces(7)), including daemons that left their session. The keeper is a
 * shell that waits for the `cat` it reads with, so it also reaps the orphans that it inherits.
 *
 * A killed process that is stuck in a disk write keeps its descriptors open until the write
 * returns. To cover that case for plg itself, the kernel also kills the keeper with the thread that
 * started it, which ends at once (PR_SET_PDEATHSIG(2const)).
 *
 * The mount namespace carries the hosts file. Each command gets a copy of the namespace.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allOrNothing } from "../../base/undo-stack.ts";
import { MachineError } from "../../base/errors.ts";
import type { Fd } from "../../base/units.ts";
import { MS_BIND, MS_PRIVATE, MS_REC } from "../../sys/abi.ts";
import { check, SystemError } from "../../sys/errno.ts";
import { mount } from "../../sys/libc.ts";
import {
  closeNamespace,
  currentNamespace,
  inNamespaces,
  inNewNamespaces,
  type Namespace,
  namespaceOf,
} from "../../sys/namespace.ts";
import { Compartment } from "./compartment.ts";
import { mountRandomDevice } from "./random-files.ts";
import type { Program, Spawner } from "./spawner.ts";
import type { SpawnRequest, Surroundings } from "./spawner-task.ts";

/**
 * Mounts /proc for the processes of this namespace, reports whether that succeeded, and stays until
 * its input ends. If some process kills the `cat`, the loop starts another. Only a `cat` that
 * reaches the end of its input ends the keeper, and with it the whole run.
 */
const keeperScript = `mount -t proc proc /proc 2>/dev/null && echo mounted || echo kept
until cat >/dev/null; do sleep 0.1; done`;

/**
 * Starts a program that the kernel kills together with the thread that starts it. That is the main
 * thread, which lives as long as plg.
 */
const withThisThread: readonly string[] = [
  "/bin/sh",
  "-c",
  // Some versions of setpriv lack the option (busybox). It only matters if two faults coincide.
  `setpriv --pdeathsig KILL true 2>/dev/null && exec setpriv --pdeathsig KILL "$@"; exec "$@"`,
  "sh",
];

/** How long the end of a run waits for the end of its processes. */
const endPatienceMs = 1000;

interface Place {
  readonly mounts: Namespace;
  readonly pids: Namespace;
  readonly hasOwnProc: boolean;
  readonly hasRandomDevice: boolean;
}

export class ProcessSpace {
  /**
   * A mount of /proc that lists this space's processes; the machine's own if the keeper could not
   * mount it.
   */
  readonly procPath: string;
  readonly #hasRandomDevice: boolean;
  readonly #mounts: Namespace;
  readonly #pids: Namespace;
  readonly #keeper: ChildProcess;
  readonly #compartments: Compartment[] = [];
  /**
   * The first process of the namespace: the keeper, which is a child of `unshare` where that
   * created the namespace.
   */
  readonly #first: number;
  /**
   * Settles if the keeper ends early, for example because it was killed. All commands are then
   * gone.
   */
  readonly lost: Promise<void>;
  readonly #ended: Promise<void>;
  #tellLost = (): void => {};
  #closed = false;

  private constructor(
    { mounts, pids, hasOwnProc, hasRandomDevice }: Place,
    keeper: ChildProcess,
    first: number,
  ) {
    this.#hasRandomDevice = hasRandomDevice;
    this.procPath = hasOwnProc ? join("/proc", `${first}`, "root", "proc") : "/proc";
    this.#mounts = mounts;
    this.#pids = pids;
    this.#keeper = keeper;
    this.#first = first;
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    keeper.once("exit", () => this.lookForKeeper());
    this.#ended = new Promise((resolve) => keeper.once("exit", () => resolve()));
  }

  /**
   * Checks whether the keeper is ending. Call it when a command was killed: plg hears of a killed
   * keeper last, because the kernel first kills and reaps all other processes of the namespace
   * (zap_pid_ns_processes in kernel/pid_namespace.c). By then the keeper is already exiting.
   */
  lookForKeeper(): void {
    if (!this.#closed && isEnding(this.#first)) this.#tellLost();
  }

  /**
   * Creates the namespaces, with `hostsText` as /etc/hosts, and waits until they are ready. If
   * `device` is given, it serves reads of /dev/urandom and /dev/random.
   */
  static create(hostsText: string, device?: Fd): Promise<ProcessSpace> {
    return allOrNothing(async (undos) => {
      const { mounts, hasRandomDevice } = createMounts(hostsText, device);
      undos.push(() => closeNamespace(mounts));
      const direct = ownsPidNamespace();
      const keeper = startKeeperIn(mounts, direct);
      undos.push(() => endKeeper(keeper));
      const hasOwnProc = (await firstWord(keeper)) === "mounted";
      const leader = keeper.pid ?? 0;
      // `unshare` has one child: the keeper.
      const first = direct ? leader : onlyChildOf(leader);
      const place = { mounts, pids: namespaceOf(first, "pid"), hasOwnProc, hasRandomDevice };
      return new ProcessSpace(place, keeper, first);
    });
  }

  /** The surroundings of a program in this space. The space keeps the namespaces. */
  placeIn(network: Namespace | undefined): Surroundings {
    return { network, mounts: this.#mounts, pids: this.#pids };
  }

  /** Creates a container's compartment. */
  async addCompartment(spawner: Spawner): Promise<Compartment> {
    const compartment = await this.#explaining(
      Compartment.create(spawner, this.placeIn(undefined)),
    );
    if (this.#closed) {
      compartment.close();
      throw new MachineError("the run ended while it was prepared");
    }
    this.#compartments.push(compartment);
    if (this.#hasRandomDevice) compartment.coverRandomNumbers();
    return compartment;
  }

  /** Starts a command in its compartment, with the given network. */
  spawn(
    spawner: Spawner,
    compartment: Compartment,
    network: Namespace,
    program: Omit<SpawnRequest, keyof Surroundings>,
  ): Promise<Program> {
    const place = compartment.placeIn(network);
    return this.#explaining(spawner.spawn({ ...place, ...program }));
  }

  async #explaining<T>(spawning: Promise<T>): Promise<T> {
    try {
      return await spawning;
    } catch (error) {
      // fork(2) reports ENOMEM for a PID namespace without its first process.
      if ((error as NodeJS.ErrnoException).code !== "ENOMEM") throw error;
      throw new MachineError(
        "cannot start a command: out of memory, or the run's keeper was killed (ENOMEM)",
        { cause: error },
      );
    }
  }

  /**
   * Lists the commands and the processes that they left behind, of one compartment or of all: their
   * PIDs as seen from outside.
   */
  members(only?: Compartment): number[] {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && this.#holds(pid, only));
  }

  /**
   * Kills all remaining processes, waits until they are gone, and frees the namespaces. The kernel
   * reports the keeper's end after all others'. The wait is limited, because a process may be stuck
   * in a disk operation.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#keeper.kill("SIGKILL");
    await Promise.race([this.#ended, sleep(endPatienceMs, undefined, { ref: false })]);
    for (const compartment of this.#compartments) compartment.close();
    for (const namespace of [this.#mounts, this.#pids]) closeNamespace(namespace);
  }

  #holds(pid: number, only: Compartment | undefined): boolean {
    try {
      const link = readlinkSync(`/proc/${pid}/ns/pid`);
      const compartment = this.#compartments.find(({ pidLink }) => pidLink === link);
      if (!compartment || (only && compartment !== only)) return false;
      // The compartment's first process has its own session, which no other process can join.
      const { state, session } = statusOf(pid);
      return state !== "Z" && session !== compartment.session;
    } catch {
      return false; // It has ended, or plg may not inspect it, so it is not ours.
    }
  }
}

/**
 * See proc_pid_stat(5). The program's name, in parentheses, may itself contain parentheses and
 * spaces.
 */
function statusOf(pid: number): { state: string | undefined; session: number; flags: number } {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [state, , , session, , , flags] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state, session: Number(session), flags: Number(flags) };
}

/** PF_EXITING of include/linux/sched.h: set before a process does anything else to end. */
const exitingFlag = 4;

function isEnding(pid: number): boolean {
  try {
    return (statusOf(pid).flags & exitingFlag) !== 0;
  } catch {
    return true; // It has ended.
  }
}

/**
 * Makes a private copy of the machine's mounts with our hosts file, which is deleted once mounted.
 */
function createMounts(
  hostsText: string,
  device: Fd | undefined,
): { readonly mounts: Namespace; readonly hasRandomDevice: boolean } {
  const folder = mkdtempSync(join(tmpdir(), "plg-"));
  const hosts = join(folder, "hosts");
  try {
    writeFileSync(hosts, hostsText, { mode: 0o644 });
    return inNewNamespaces(["mnt"], () => {
      check(mount("none", "/", "none", MS_REC | MS_PRIVATE, 0), "mount MS_PRIVATE", "/");
      check(mount(hosts, "/etc/hosts", "none", MS_BIND, 0), "mount MS_BIND", "/etc/hosts");
      const hasRandomDevice = device !== undefined && mountRandomDevice(device);
      return { mounts: currentNamespace("mnt"), hasRandomDevice };
    });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new MachineError(`cannot prepare the run's mounts: ${error.message}`, {
      cause: error,
      code: "sandbox-unavailable",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Whether this process may return from another PID namespace to its own. That takes privileges over
 * both. In a user namespace that plg created, it lacks them over its own, which is the machine's.
 */
function ownsPidNamespace(): boolean {
  return readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/)[2] === "4294967295";
}

/** Starts the keeper in a new PID namespace, directly or by `unshare`. */
function startKeeperIn(mounts: Namespace, direct: boolean): ChildProcess {
  return inNamespaces([mounts], () =>
    direct
      ? inNewNamespaces(["pid"], () => startKeeper([]))
      : startKeeper(["unshare", "--pid", "--fork", "--kill-child", "--"]),
  );
}

/** Ends a keeper and waits for that, unless it never started. */
async function endKeeper(keeper: ChildProcess): Promise<void> {
  keeper.on("error", () => {});
  if (keeper.pid === undefined || keeper.exitCode !== null || keeper.signalCode !== null) return;
  const ended = new Promise((resolve) => keeper.once("exit", resolve));
  keeper.kill("SIGKILL");
  await ended;
}

function startKeeper(prefix: readonly string[]): ChildProcess {
  const [file, ...args] = [...withThisThread, ...prefix, "/bin/sh", "-c", keeperScript];
  return spawn(file, args, {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    cwd: "/",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
}

/** The keeper's first output. */
function firstWord(keeper: ChildProcess): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    keeper.once("error", (error) =>
      reject(new MachineError(`cannot start the run's keeper: ${error.message}`, { cause: error })),
    );
    keeper.once("exit", () =>
      reject(
        new MachineError("the run's keeper process ended at its start", {
          code: "sandbox-unavailable",
        }),
      ),
    );
    keeper.stdout?.once("data", (word: Buffer) => resolve(word.toString().trim()));
  });
}

/** The PID of a process's only child. */
function onlyChildOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}
