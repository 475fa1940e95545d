/**
 * A container's own part of the process space: a PID namespace within the run's, and a mount namespace
 * with the /proc that belongs to it. So commands do not see each other's processes, and the numbers of a
 * container's processes are the same in every run, whichever other containers there are.
 *
 * Its first process is a shell that waits for a sleeping child, and so reaps the orphans that it inherits. It says
 * that it is ready only when that child has its number: the command's comes next. `unshare` leads it in,
 * because a thread of plg's could make such a namespace only inside the run's (copy_pid_ns in
 * kernel/pid_namespace.c).
 */
import { readlinkSync } from "node:fs";
import { MachineError } from "../../base/errors.ts";
import {
  closeNamespace,
  type Namespace,
  namespaceOf,
  namespaceOfChildren,
} from "../../sys/namespace.ts";
import type { Program, Spawner } from "./spawner.ts";
import type { Surroundings } from "./spawner-task.ts";

/** Nobody listens after the first word. Should a command kill the child (`kill -9 -1`), there is another. */
const script = `trap '' PIPE
mount -t proc proc /proc 2>/dev/null
while :; do (echo ready 2>/dev/null; exec sleep 1000000000); done`;

export class Compartment {
  readonly #mounts: Namespace;
  readonly #pids: Namespace;
  /** How /proc/PID/ns/pid reads for a process in here. */
  readonly pidLink: string;
  /** The session of the first process, which is not the command's. */
  readonly session: number;

  private constructor(leader: number) {
    this.session = leader;
    this.#mounts = namespaceOf(leader, "mnt");
    this.#pids = namespaceOfChildren(leader);
    this.pidLink = readlinkSync(`/proc/self/fd/${this.#pids.fd}`);
  }

  /** Makes one below `run`, and waits until a command can be started in it. */
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

  /** Where its command runs: its network is `network`. The namespaces stay this compartment's. */
  placeIn(network: Namespace): Surroundings {
    return { network, mounts: this.#mounts, pids: this.#pids };
  }

  /** Its processes are the run's to end. */
  close(): void {
    for (const namespace of [this.#mounts, this.#pids]) closeNamespace(namespace);
  }
}

/** Settles at the first word. */
async function isReady({ stdout, stderr, ended }: Program): Promise<void> {
  const said = new Promise<"ready">((resolve) => stdout.once("data", () => resolve("ready")));
  let complaint = "";
  stderr.on("data", (text: Buffer) => (complaint += text.toString()));
  const end = await Promise.race([said, ended]);
  for (const stream of [stdout, stderr]) stream.destroy();
  if (end === "ready") return;
  const reason = "failure" in end ? end.failure.message : complaint.trim();
  throw new MachineError(
    `cannot make a PID namespace for a container (${reason}): install unshare (util-linux); see 'plg doctor'`,
  );
}
