/**
 * Lets a single thread enter and leave namespaces.
 *
 * `unshare(2)` and `setns(2)` affect the calling thread only. A socket, a TUN device or a child
 * process (libuv forks from the thread that calls `spawn`) belongs to the namespaces that its
 * thread is in at that moment. A scope therefore enters the namespaces, runs a *synchronous*
 * callback, and leaves them before anything else can run on the thread. The callback's type refuses
 * a promise, because code after an `await` would run outside.
 *
 * Three things to know. A mount namespace can be entered only by a thread that does not share its
 * working directory with others (fs/namespace.c, mntns_install: `fs->users != 1`), as every thread
 * does with the one that started it; CLONE_FS gives it one of its own. Entering moves the working
 * directory to the root, so leaving restores it. A PID namespace is entered for children only, and
 * while it is, the thread can start no other thread (kernel/fork.c), so it too is left at once. A
 * thread that never forks, like the engine, may stay in a network namespace for good.
 */
import { constants, openSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { CLONE_FS, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, O_CLOEXEC } from "./abi.ts";
import { check } from "./errno.ts";
import { chdir, close, openat, setns, unshare } from "./libc.ts";

type Kind = "net" | "mnt" | "pid";

const kinds: Record<Kind, { readonly flag: number; readonly file: string; readonly name: string }> =
  {
    net: { flag: CLONE_NEWNET, file: "net", name: "a network namespace" },
    mnt: { flag: CLONE_NEWNS, file: "mnt", name: "a mount namespace" },
    pid: { flag: CLONE_NEWPID, file: "pid_for_children", name: "a PID namespace" },
  };

/** A namespace kept alive by a descriptor. Its creator closes it. */
export interface Namespace {
  readonly kind: Kind;
  readonly fd: Fd;
}

/** The result of a scope's callback: anything but a promise. */
type Settled<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * The host's /proc, held open: inside a scope, the path may name another one that lacks this
 * process.
 */
const proc = openSync("/proc", constants.O_RDONLY | constants.O_DIRECTORY) as Fd;

function openCurrent(kind: Kind): Namespace {
  return open(kind, `thread-self/ns/${kinds[kind].file}`);
}

/** The namespace of process `pid` (in plg's own PID namespace). */
export function namespaceOf(pid: number, kind: Kind): Namespace {
  return open(kind, `${pid}/ns/${kind}`);
}

/** The PID namespace that the process' children are in. */
export function namespaceOfChildren(pid: number): Namespace {
  return open("pid", `${pid}/ns/pid_for_children`);
}

function open(kind: Kind, path: string): Namespace {
  const flags = constants.O_RDONLY | O_CLOEXEC;
  return { kind, fd: check(openat(proc, path, flags), "openat", kinds[kind].name) as Fd };
}

export function closeNamespace(namespace: Namespace): void {
  close(namespace.fd);
}

/** Moves the calling thread into `namespace` for good. */
export function enterForever(namespace: Namespace): void {
  const { flag, name } = kinds[namespace.kind];
  check(setns(namespace.fd, flag), "setns", name);
}

/** Runs `body` in fresh namespaces of these kinds, then returns to where the thread was. */
export function inNewNamespaces<T>(unshared: readonly Kind[], body: () => T & Settled<T>): T {
  return andBack(unshared, () => {
    for (const kind of unshared) check(unshare(kinds[kind].flag), "unshare", kinds[kind].name);
    return body();
  });
}

/** Runs `body` inside the given namespaces, then returns to where the thread was. */
export function inNamespaces<T>(namespaces: readonly Namespace[], body: () => T & Settled<T>): T {
  return andBack(
    namespaces.map((namespace) => namespace.kind),
    () => {
      for (const namespace of namespaces) enterForever(namespace);
      return body();
    },
  );
}

/** The thread's current namespace; for PID namespaces, that of its next child. */
export function currentNamespace(kind: Kind): Namespace {
  return openCurrent(kind);
}

/** Runs `body` and then restores the thread's namespaces of these kinds, even if `body` throws. */
function andBack<T>(touched: readonly Kind[], body: () => T): T {
  const cwd = touched.includes("mnt") ? process.cwd() : undefined;
  if (cwd !== undefined) check(unshare(CLONE_FS), "unshare", "the working directory");
  const homes: Namespace[] = [];
  try {
    for (const kind of touched) homes.push(openCurrent(kind));
    return thenGoBack(body, homes, cwd);
  } finally {
    homes.forEach(closeNamespace);
  }
}

function thenGoBack<T>(body: () => T, homes: readonly Namespace[], cwd: string | undefined): T {
  let result: T;
  try {
    result = body();
  } catch (error) {
    // If leaving failed, going back may fail too, and is not needed: the first error is the one to
    // report.
    try {
      goBack(homes, cwd);
    } catch {
      throw error;
    }
    throw error;
  }
  goBack(homes, cwd);
  return result;
}

function goBack(homes: readonly Namespace[], cwd: string | undefined): void {
  homes.forEach(enterForever);
  // Not process.chdir, which a worker thread does not have.
  if (cwd !== undefined) check(chdir(cwd), "chdir", cwd);
}
