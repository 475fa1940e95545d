/**
 * Namespaces, entered and left by one thread.
 *
 * `unshare(2)` and `setns(2)` act on the calling thread alone, and so does what is made inside: a
 * socket, a TUN device, a child process (libuv forks from the thread that calls `spawn`) belongs to
 * the namespaces that its thread is in at that moment. So a scope is entered, a *synchronous*
 * callback runs, and the scope is left again before anything else can happen on the thread. The
 * callback's type refuses a promise: what it awaited would run outside.
 *
 * Three things to know. A mount namespace can be entered only by a thread that does not share its
 * working directory with others (fs/namespace.c, mntns_install: `fs->users != 1`), as every thread
 * does with the one that started it; CLONE_FS gives it one of its own. Entering moves the working
 * directory to the root, so leaving restores it. A PID namespace is entered for children only, and while it is, the thread can start no
 * other thread (kernel/fork.c), so it too is left at once. A thread that never forks, like the
 * engine, may stay in a network namespace for good.
 */
import { constants, openSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { CLONE_FS, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, O_CLOEXEC } from "./abi.ts";
import { check } from "./errno.ts";
import { close, openat, setns, unshare } from "./libc.ts";

type Kind = "net" | "mnt" | "pid";

const kinds: Record<Kind, { readonly flag: number; readonly file: string; readonly name: string }> =
  {
    net: { flag: CLONE_NEWNET, file: "net", name: "a network namespace" },
    mnt: { flag: CLONE_NEWNS, file: "mnt", name: "a mount namespace" },
    pid: { flag: CLONE_NEWPID, file: "pid_for_children", name: "a PID namespace" },
  };

/** A namespace kept alive by a descriptor. Whoever made it closes it. */
export interface Namespace {
  readonly kind: Kind;
  readonly fd: Fd;
}

/** What a scope's callback may return: anything but a promise. */
type Settled<T> = T extends PromiseLike<unknown> ? never : T;

/** The machine's own /proc, held open: inside a scope the path may lead to another, which does not know us. */
const proc = openSync("/proc", constants.O_RDONLY | constants.O_DIRECTORY) as Fd;

function openCurrent(kind: Kind): Namespace {
  return open(kind, `thread-self/ns/${kinds[kind].file}`);
}

/** The namespace of this kind that the process `pid`, as plg itself knows it, is in. */
export function namespaceOf(pid: number, kind: Kind): Namespace {
  return open(kind, `${pid}/ns/${kind}`);
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

/** The namespace of this kind that the thread is in now; for PID, the one its next child will be in. */
export function currentNamespace(kind: Kind): Namespace {
  return openCurrent(kind);
}

/** Remembers the thread's namespaces of these kinds, runs `body`, and goes back to them whatever happens. */
function andBack<T>(touched: readonly Kind[], body: () => T): T {
  const cwd = touched.includes("mnt") ? process.cwd() : undefined;
  if (cwd !== undefined) check(unshare(CLONE_FS), "unshare", "the working directory");
  const homes = touched.map(openCurrent);
  let result: T;
  try {
    result = body();
  } catch (error) {
    // Whoever was not allowed to leave cannot go back either, nor needs to: the first error is the one to tell.
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
  for (const home of homes) {
    enterForever(home);
    closeNamespace(home);
  }
  if (cwd !== undefined) process.chdir(cwd);
}
