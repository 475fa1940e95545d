/**
 * The process space of a run: one PID namespace and one mount namespace for all its commands.
 *
 * The PID namespace is what makes sure that nothing outlives the run. Its first process, the keeper,
 * reads from a pipe whose other end only plg holds. When plg ends, however it ends, the keeper reads the
 * end of the pipe and exits, and with the first process of a PID namespace the kernel kills all others
 * (pid_namespaces(7)): daemons that left their session, children of children, all of them. The keeper
 * is a shell that waits for the `cat` it reads with, and so reaps the orphans that it inherits as well.
 * A killed process whose write to a disk does not come back keeps its descriptors open until it does. For that
 * case the keeper is killed with the thread that started it, which is gone at once (PR_SET_PDEATHSIG(2const)).
 *
 * The mount namespace carries the hosts file and a /proc of the PID namespace. Each command gets a copy.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
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
import { MachineError } from "../../base/errors.ts";
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

/**
 * Mounts /proc for the processes of this namespace, says whether it could, and stays until its input ends. A
 * command that kills all it can (`kill -9 -1`) kills the `cat`, but not the first process: then there is
 * another. Only a `cat` that came to the end of its input ends it, and with it the whole run.
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

/** How a process gets into the PID namespace: by namespaces its parent is in, or by a program before it. */
interface Entrance {
  readonly namespaces: readonly Namespace[];
  readonly prefix: readonly string[];
}

export class ProcessSpace {
  /** A mount of /proc that lists the processes that live here, if the keeper could mount it; else the machine's. */
  readonly procPath: string;
  readonly #mounts: Namespace;
  /** Held as long as it is asked for by its number: the kernel gives that of one that is gone to the next. */
  readonly #pids: Namespace;
  readonly #entrance: Entrance;
  readonly #keeper: ChildProcess;
  /** How /proc/PID/ns/pid reads for a process of this space. */
  readonly #pidLink: string;
  /** The namespace's first process: the keeper, or its child where a program led it in. */
  readonly #first: number;
  /** Settles if the keeper ends before its time, as when somebody kills it: all commands are gone then. */
  readonly lost: Promise<void>;
  #tellLost = (): void => {};
  #closed = false;

  private constructor(
    mounts: Namespace,
    pids: Namespace,
    keeper: ChildProcess,
    first: number,
    entrance: Entrance,
    hasOwnProc: boolean,
  ) {
    this.procPath = hasOwnProc ? `/proc/${first}/root/proc` : "/proc";
    this.#mounts = mounts;
    this.#pids = pids;
    this.#keeper = keeper;
    this.#first = first;
    this.#entrance = entrance;
    this.#pidLink = readlinkSync(`/proc/self/fd/${pids.fd}`);
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    keeper.once("exit", () => this.lookForKeeper());
  }

  /**
   * For whoever sees a command killed: of a keeper that was killed plg hears last, as the kernel ends and waits
   * for all others first (zap_pid_ns_processes in kernel/pid_namespace.c). It is on its way out by then.
   */
  lookForKeeper(): void {
    if (!this.#closed && isEnding(this.#first)) this.#tellLost();
  }

  /** Makes the namespaces, with `hostsText` as /etc/hosts, and waits until they are ready. */
  static async create(hostsText: string): Promise<ProcessSpace> {
    const mounts = createMounts(hostsText);
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
    if (pids) {
      const entrance = { namespaces: [pids], prefix: [] };
      return new ProcessSpace(mounts, pids, keeper, keeper.pid ?? 0, entrance, hasOwnProc);
    }
    // Of the two that a program led in, the keeper is the second.
    const first = onlyChildOf(keeper.pid ?? 0);
    const link = `/proc/${hasOwnProc ? 1 : first}/ns/pid`;
    const entrance = { namespaces: [], prefix: ["nsenter", `--pid=${link}`, "--"] };
    const held = namespaceOf(first, "pid");
    return new ProcessSpace(mounts, held, keeper, first, entrance, hasOwnProc);
  }

  /** Starts a program here, in a mount namespace of its own and the given network. */
  spawn(
    network: Namespace,
    file: string,
    args: readonly string[],
    options: SpawnOptions,
  ): ChildProcess {
    const cwd = options.cwd ?? process.cwd();
    const { namespaces, prefix } = this.#entrance;
    const [program = file, ...rest] = [...prefix, file, ...args];
    try {
      return inNamespaces([network, this.#mounts], () =>
        inNewNamespaces(["mnt"], () =>
          inNamespaces(namespaces, () => spawn(program, rest, { ...options, cwd })),
        ),
      );
    } catch (error) {
      // What fork(2) says of a PID namespace whose first process is gone.
      if ((error as NodeJS.ErrnoException).code !== "ENOMEM") throw error;
      throw new MachineError(
        "cannot start a command: out of memory, or the run's keeper was killed (ENOMEM)",
        { cause: error },
      );
    }
  }

  /** The processes that live here now, but for the keeper's own: their PIDs as seen from outside. */
  members(): number[] {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && this.#holds(pid));
  }

  /** Kills all that is left and frees the namespaces. */
  close(): void {
    this.#closed = true;
    this.#keeper.kill("SIGKILL");
    for (const namespace of [this.#mounts, this.#pids]) closeNamespace(namespace);
  }

  #holds(pid: number): boolean {
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== this.#pidLink) return false;
      // The keeper was started in a session of its own, which others cannot join.
      const { state, session } = statusOf(pid);
      return state !== "Z" && session !== this.#keeper.pid;
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
function createMounts(hostsText: string): Namespace {
  const folder = mkdtempSync(join(tmpdir(), "plg-"));
  const hosts = join(folder, "hosts");
  writeFileSync(hosts, hostsText, { mode: 0o644 });
  try {
    return inNewNamespaces(["mnt"], () => {
      check(mount("none", "/", "none", MS_REC | MS_PRIVATE, 0), "mount MS_PRIVATE", "/");
      check(mount(hosts, "/etc/hosts", "none", MS_BIND, 0), "mount MS_BIND", "/etc/hosts");
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
