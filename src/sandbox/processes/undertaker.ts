/**
 * The undertaker: a shell that briefly outlives plg if plg is killed.
 *
 * plg's network devices disappear with it. The packets of the killed processes then get no answer,
 * not even a RST, and the kernel's TCP retransmits them for nearly two minutes (tcp_orphan_retries,
 * tcp(7)). A network namespace lasts as long as its last socket. So the undertaker waits for the
 * end of a pipe whose other end only plg holds, and then makes the run's namespaces give up soon.
 * It does not do so earlier, because a command may cut itself off from the network for a while, and
 * its packets must still arrive.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Namespace } from "../../sys/namespace.ts";

/**
 * Takes descriptors as arguments. If it fails, for example for lack of nsenter, the namespaces
 * disappear later.
 */
const script = `read -r end
for network; do
  nsenter --net="/proc/self/fd/$network" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries'
done`;

const firstDescriptor = 3;

export class Undertaker {
  readonly #shell: ChildProcess;

  /** The caller keeps `networks`; the undertaker has its own descriptors for them. */
  constructor(networks: readonly Namespace[]) {
    const descriptors = networks.map((_, i) => String(firstDescriptor + i));
    this.#shell = spawn("/bin/sh", ["-c", script, "sh", ...descriptors], {
      stdio: ["pipe", "ignore", "ignore", ...networks.map(({ fd }) => fd)],
      // A session of its own: a signal to plg's process group does not reach it.
      detached: true,
      cwd: "/",
    });
    this.#shell.once("error", () => {}); // Missed only if plg is killed.
    this.#shell.unref();
  }

  /** Ends the undertaker: plg cleans up the namespaces itself. */
  dismiss(): void {
    this.#shell.kill("SIGKILL");
  }
}
