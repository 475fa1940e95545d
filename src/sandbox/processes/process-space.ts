/**
 * The process space of a run: one PID namespace and one mount namespace for all its commands. Each container has
 * a compartment of its own in there.
 *
 * The PID namespace is what makes sure that nothing outlives the run. Its first process, the keeper,
 * reads from a pipe whose other end only plg holds. When plg ends, however it ends, the keeper reads the
 * end of the pipe and exits, and with the first process of a PID namespace the kernel kills all others
 * (pid_namespaces(7)): daemons that left their session, children of children, all of them. The keeper
 * is a shell that waits for the `cat` it reads with, and so reaps the orphans that it inherits as well.
 * A killed process whose write to a disk does not come back keeps its descriptors open until it does. For that
 * case the keeper is killed with the thread that started it, which is gone at once (PR_SET_PDEATHSIG(2const)).
 *
 * The mount namespace carries the hosts file. Each command gets a copy.
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
import { MachineError } from "../../base/errors.ts";
import type { Fd } from "../../base/units.ts";
import { deviceMode } from "../../determinism/core/fuse.ts";
import { MS_BIND, MS_PRIVATE, MS_REC } from "../../sys/abi.ts";
import { check, SystemError } from "../../sys/errno.ts";
import { mountFuse } from "../../sys/fuse.ts";
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
import type { Program, Spawner } from "./spawner.ts";
import type { SpawnRequest, Surroundings } from "./spawner-task.ts";

/**
 * Mounts /proc for the processes of this namespace, says whether it could, and stays until its input
 * ends. Should somebody kill the `cat`, there is another: only one that came to the end of its input
 * ends the keeper, and with it the whole run.
 */
const keeperScript = `mount -t proc proc /proc 2>/dev/null && echo mounted || echo kept
until cat >/dev/null; do sleep 0.1; done`;

/** Starts a program that is killed with the thread it was started by: this one, which lives as long as plg. */
const withThisThread: readonly string[] = [
  "/bin/sh",
  "-c",
  // Not every setpriv can (busybox), and it only matters on a day with two faults.
  `setpriv --pdeathsig KILL true 2>/dev/null && exec setpriv --pdeathsig KILL "$@"; exec "$@"`,
  "sh",
];

/** How long a run's end waits for that of its processes. */
const endPatienceMs = 1000;

export class ProcessSpace {
  /** A mount of /proc that lists the processes that live here, if the keeper could mount it; else the machine's. */
  readonly procPath: string;
  readonly #mounts: Namespace;
  readonly #pids: Namespace;
  readonly #keeper: ChildProcess;
  readonly #compartments: Compartment[] = [];
  /** The namespace's first process: the keeper, or its child where a program led it in. */
  readonly #first: number;
  /** Settles if the keeper ends before its time, as when somebody kills it: all commands are gone then. */
  readonly lost: Promise<void>;
  readonly #ended: Promise<void>;
  #tellLost = (): void => {};
  #closed = false;

  private constructor(
    mounts: Namespace,
    pids: Namespace,
    keeper: ChildProcess,
    first: number,
    hasOwnProc: boolean,
  ) {
    this.procPath = hasOwnProc ? `/proc/${first}/root/proc` : "/proc";
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
   * For whoever sees a command killed: of a keeper that was killed plg hears last, as the kernel ends and waits
   * for all others first (zap_pid_ns_processes in kernel/pid_namespace.c). It is on its way out by then.
   */
  lookForKeeper(): void {
    if (!this.#closed && isEnding(this.#first)) this.#tellLost();
  }

  /**
   * Makes the namespaces, with `hostsText` as /etc/hosts, and waits until they are ready. What is asked
   * of /dev/urandom and /dev/random is then asked of `device`.
   */
  static async create(hostsText: string, device?: Fd): Promise<ProcessSpace> {
    const mounts = createMounts(hostsText, device);
    const direct = ownsPidNamespace();
    const { keeper, pids } = inNamespaces([mounts], () =>
      direct
        ? inNewNamespaces(["pid"], () => ({
            keeper: startKeeper([]),
            // The link to the new namespace opens only now that it has a first process (pid_namespaces(7)).
            pids: currentNamespace("pid"),
          }))
        : {
            keeper: startKeeper(["unshare", "--pid", "--fork", "--kill-child", "--"]),
            pids: undefined,
          },
    );
    const hasOwnProc = (await firstWord(keeper)) === "mounted";
    if (pids) return new ProcessSpace(mounts, pids, keeper, keeper.pid ?? 0, hasOwnProc);
    // Of the two that a program led in, the keeper is the second.
    const first = onlyChildOf(keeper.pid ?? 0);
    return new ProcessSpace(mounts, namespaceOf(first, "pid"), keeper, first, hasOwnProc);
  }

  /** Where a program runs that is started here. The namespaces stay this space's. */
  placeIn(network: Namespace | undefined): Surroundings {
    return { network, mounts: this.#mounts, pids: this.#pids };
  }

  /** Makes a container's part of the space. */
  async addCompartment(spawner: Spawner): Promise<Compartment> {
    const compartment = await this.#explaining(
      Compartment.create(spawner, this.placeIn(undefined)),
    );
    this.#compartments.push(compartment);
    return compartment;
  }

  /** Starts a command in its compartment, with the given network. */
  spawn(
    spawner: Spawner,
    compartment: Compartment,
    network: Namespace,
    program: Pick<SpawnRequest, "file" | "args" | "env">,
  ): Promise<Program> {
    const place = { ...compartment.placeIn(network), cwd: process.cwd() };
    return this.#explaining(spawner.spawn({ ...place, ...program }));
  }

  async #explaining<T>(spawning: Promise<T>): Promise<T> {
    try {
      return await spawning;
    } catch (error) {
      // What fork(2) says of a PID namespace whose first process is gone.
      if ((error as NodeJS.ErrnoException).code !== "ENOMEM") throw error;
      throw new MachineError(
        "cannot start a command: out of memory, or the run's keeper was killed (ENOMEM)",
        { cause: error },
      );
    }
  }

  /**
   * The processes that the commands have left or are, of all compartments or of one: their PIDs as
   * seen from outside.
   */
  members(only?: Compartment): number[] {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && this.#holds(pid, only));
  }

  /**
   * Kills all that is left, waits until it is gone, and frees the namespaces. The kernel reports the
   * end of the keeper after that of all others; one that waits for a disk is not waited for.
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
      // Its first process was started in a session of its own, which others cannot join.
      const { state, session } = statusOf(pid);
      return state !== "Z" && session !== compartment.session;
    } catch {
      return false; // It ended in the meantime, or it is not ours to look at: then it is not in here.
    }
  }
}

/** See proc_pid_stat(5): the program's name, in brackets, may itself have brackets and spaces. */
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

/** A private copy of the machine's mounts with our hosts file. The file has no name any more once it is mounted. */
function createMounts(hostsText: string, device: Fd | undefined): Namespace {
  const folder = mkdtempSync(join(tmpdir(), "plg-"));
  const hosts = join(folder, "hosts");
  writeFileSync(hosts, hostsText, { mode: 0o644 });
  try {
    return inNewNamespaces(["mnt"], () => {
      check(mount("none", "/", "none", MS_REC | MS_PRIVATE, 0), "mount MS_PRIVATE", "/");
      check(mount(hosts, "/etc/hosts", "none", MS_BIND, 0), "mount MS_BIND", "/etc/hosts");
      if (device !== undefined) mountRandomDevice(device);
      return currentNamespace("mnt");
    });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new MachineError(`cannot prepare the run's mounts: ${error.message}; see 'plg doctor'`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Where that is not possible, the kernel's own random bytes stay. */
function mountRandomDevice(device: Fd): void {
  if (mountFuse(device, "/dev/urandom", deviceMode) < 0) return;
  mount("/dev/urandom", "/dev/random", "none", MS_BIND, 0);
}

/**
 * Whether this process may leave a PID namespace for its own again, which takes privileges over both: in
 * a user namespace of plg's own making it is not so, as the process' PID namespace is the machine's.
 */
function ownsPidNamespace(): boolean {
  return readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/)[2] === "4294967295";
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

/** The first thing that the keeper says. */
function firstWord(keeper: ChildProcess): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    keeper.once("error", (error) =>
      reject(new MachineError(`cannot start the run's keeper: ${error.message}`, { cause: error })),
    );
    keeper.once("exit", () =>
      reject(new MachineError("the run's keeper process ended at its start: see 'plg doctor'")),
    );
    keeper.stdout?.once("data", (word: Buffer) => resolve(word.toString().trim()));
  });
}

/** The PID of a process' one child. */
function onlyChildOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}
