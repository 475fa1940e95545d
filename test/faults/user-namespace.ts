/**
 * A user namespace that may hold so many network namespaces and no more (namespaces(7),
 * /proc/sys/user): in it, runs that leave namespaces behind cannot go on for long.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export class UserNamespace {
  /** What a program is started through to be in it, as its root. */
  readonly entrance: readonly string[];
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess, folder: string) {
    this.#holder = holder;
    const kinds = ["user", "net", "mnt"].map(
      (kind) => `--${kind === "mnt" ? "mount" : kind}=/proc/${holder.pid}/ns/${kind}`,
    );
    this.entrance = ["nsenter", ...kinds, `--wdns=${folder}`, "--"];
  }

  /** Programs are started in `folder`. */
  static async make(networks: number, folder: string): Promise<UserNamespace> {
    const limit = `echo ${networks} >/proc/sys/user/max_net_namespaces && echo ready && exec cat`;
    const options = ["--user", "--map-root-user", "--net", "--mount"];
    const holder = spawn("unshare", [...options, "/bin/sh", "-c", limit], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return new UserNamespace(holder, folder);
  }

  async close(): Promise<void> {
    const ended = once(this.#holder, "exit");
    this.#holder.stdin?.end();
    await ended;
  }
}
