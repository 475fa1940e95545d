/**
 * The undertaker: a shell that outlives plg for a moment where plg is killed.
 *
 * With plg go its devices. What the killed processes had sent then gets no answer any more, not even that there is
 * no such connection, and the kernel's TCP repeats it for nearly two minutes (tcp_orphan_retries, tcp(7)). A network
 * namespace lasts as long as its last socket. So once plg is gone, which shows as the end of a pipe whose other end
 * only plg holds, the undertaker has the namespaces of the run give up soon. Not before: a command may cut
 * itself off from the network for a while, and what it sent is to arrive all the same.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Namespace } from "../../sys/namespace.ts";

/** Its arguments are descriptors. Where it cannot do it, for want of nsenter, say, the namespaces go later. */
const script = `read -r end
for network; do
  nsenter --net="/proc/self/fd/$network" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries'
done`;

const firstDescriptor = 3;

export class Undertaker {
  readonly #shell: ChildProcess;

  /** `networks` stay the caller's; the undertaker has descriptors of its own for them. */
  constructor(networks: readonly Namespace[]) {
    const descriptors = networks.map((_, i) => String(firstDescriptor + i));
    this.#shell = spawn("/bin/sh", ["-c", script, "sh", ...descriptors], {
      stdio: ["pipe", "ignore", "ignore", ...networks.map(({ fd }) => fd)],
      // In a session of its own: what kills plg's process group does not kill it.
      detached: true,
      cwd: "/",
    });
    this.#shell.once("error", () => {}); // There is none then, which only matters if plg is killed.
    this.#shell.unref();
  }

  /** plg sees to the namespaces itself. */
  dismiss(): void {
    this.#shell.kill("SIGKILL");
  }
}
