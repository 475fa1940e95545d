/**
 * A compartment is a container's own part of the process space: a PID namespace within the run's,
 * and a mount namespace with the matching /proc. Commands do not see other containers' processes,
 * and a container's PIDs are the same in every run, whatever other containers there are.
 *
 * The compartment's first process is a shell that waits for a sleeping child, and so reaps the
 * orphans that it inherits. It reports readiness only once that child has its PID, so the command
 * gets the next one. `unshare` creates the namespaces, because a thread of plg could make such a
 * PID namespace only inside the run's (copy_pid_ns in kernel/pid_namespace.c).
 */
import { readlinkSync } from "node:fs";
import { allOrNothingNow, type UndoStack } from "../../base/undo-stack.ts";
import { MachineError } from "../../base/errors.ts";
import {
  closeNamespace,
  type Namespace,
  namespaceOf,
  namespaceOfChildren,
} from "../../sys/namespace.ts";
import { coverRandomNumbers } from "./random-files.ts";
import type { Program, Spawner } from "./spawner.ts";
import type { Surroundings } from "./spawner-task.ts";

/**
 * plg stops reading after the first "ready". If a command kills the child (`kill -9 -1`), the loop
 * starts another.
 */
const script = `trap '' PIPE
mount -t proc proc /proc 2>/dev/null
while :; do (echo ready 2>/dev/null; exec sleep 1000000000); done`;

export class Compartment {
  readonly #mounts: Namespace;
  readonly #pids: Namespace;
  /** The target of /proc/PID/ns/pid for a process in this compartment. */
  readonly pidLink: string;
  /** The session of the first process. The command has a different one. */
  readonly session: number;

  private constructor(leader: number) {
    this.session = leader;
    const { mounts, pids, pidLink } = allOrNothingNow((undos) => namespacesOf(leader, undos));
    this.#mounts = mounts;
    this.#pids = pids;
    this.pidLink = pidLink;
  }

  /** Creates a compartment within `run`, and waits until it can start a command. */
  static async create(spawner: Spawner, run: Surroundings): Promise<Compartment> {
    const leader = await spawner.spawn({
      ...run,
      file: "unshare",
      args: ["--pid", "--fork", "--", "/bin/sh", "-c", script],
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    await isReady(leader);
    return new Compartment(leader.pid);
  }

  /**
   * The surroundings of its command, with the given network. The compartment keeps the namespaces.
   */
  placeIn(network: Namespace): Surroundings {
    return { network, mounts: this.#mounts, pids: this.#pids };
  }

  /** Serves the random numbers in its /proc from /dev/urandom. */
  coverRandomNumbers(): void {
    coverRandomNumbers(this.#mounts);
  }

  /** Frees the namespaces. The run ends the processes. */
  close(): void {
    for (const namespace of [this.#mounts, this.#pids]) closeNamespace(namespace);
  }
}

/** The namespaces of a compartment's first process, and what identifies its PID namespace. */
function namespacesOf(
  leader: number,
  undos: UndoStack,
): { readonly mounts: Namespace; readonly pids: Namespace; readonly pidLink: string } {
  const mounts = namespaceOf(leader, "mnt");
  undos.push(() => closeNamespace(mounts));
  const pids = namespaceOfChildren(leader);
  undos.push(() => closeNamespace(pids));
  return { mounts, pids, pidLink: readlinkSync(`/proc/self/fd/${pids.fd}`) };
}

/** Settles at the first output. Throws a {@link MachineError} if the program ends before. */
async function isReady({ stdout, stderr, ended }: Program): Promise<void> {
  const said = new Promise<"ready">((resolve) => stdout.once("data", () => resolve("ready")));
  let complaint = "";
  stderr.on("data", (text: Buffer) => (complaint += text.toString()));
  const end = await Promise.race([said, ended]);
  for (const stream of [stdout, stderr]) stream.destroy();
  if (end === "ready") return;
  const reason = "failure" in end ? end.failure.message : complaint.trim();
  throw new MachineError(
    `cannot make a PID namespace for a container (${reason}): install unshare (util-linux)`,
    { code: "sandbox-unavailable" },
  );
}
