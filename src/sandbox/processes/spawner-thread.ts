/**
 * The thread that starts the commands.
 *
 * A seccomp filter and a personality stay with a thread for good, and every child inherits them. So
 * plg's other threads start no commands.
 *
 * The thread enters PID namespaces and does not return: without root it could not
 * (pid_namespaces(7)). This affects its children alone, except that the thread can no longer create
 * threads (kernel/fork.c), which it does not do.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { ADDR_NO_RANDOMIZE } from "../../sys/abi.ts";
import { SystemError } from "../../sys/errno.ts";
import { personality } from "../../sys/libc.ts";
import { enterForever, inNamespaces, inNewNamespaces } from "../../sys/namespace.ts";
import { installNotifyingFilter } from "../../sys/seccomp.ts";
import type { SpawnerNotice, SpawnerTask, SpawnFailure, SpawnOrder } from "./spawner-task.ts";

assert(parentPort, "the spawner runs in a thread of its own");
const port = parentPort;

function notify(notice: SpawnerNotice): void {
  port.postMessage(notice);
}

function prepare({ filter }: SpawnerTask): void {
  if (!filter) return notify({ type: "ready" });
  try {
    const listener = installNotifyingFilter(filter);
    // If this is forbidden, addresses stay random.
    personality(ADDR_NO_RANDOMIZE);
    notify({ type: "ready", listener });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    notify({ type: "ready", refusal: error.message });
  }
}

function start(order: SpawnOrder): void {
  const { id } = order;
  try {
    const child = spawnInside(order);
    child.once("spawn", () => notify({ type: "started", id, pid: child.pid ?? 0 }));
    child.once("error", (error) => notify({ type: "failed", id, failure: describe(error) }));
    child.once("exit", (exitCode, signal) => notify({ type: "ended", id, exitCode, signal }));
  } catch (error) {
    notify({ type: "refused", id, failure: describe(error as NodeJS.ErrnoException) });
  }
}

function spawnInside(order: SpawnOrder): ChildProcess {
  const { network, mounts, pids, file, args, cwd, env, stdout, stderr } = order;
  enterForever(pids);
  return inNamespaces(network ? [network, mounts] : [mounts], () =>
    inNewNamespaces(["mnt"], () =>
      spawn(file, args, { stdio: ["ignore", stdout, stderr], detached: true, cwd, env }),
    ),
  );
}

function describe({ message, code, errno, path }: NodeJS.ErrnoException): SpawnFailure {
  return { message, code, errno, path };
}

port.on("message", (order: SpawnOrder | "end") => {
  if (order === "end") process.exit();
  start(order);
});
prepare(workerData as SpawnerTask);
