/**
 * Two hosts without plg in subnets of their own, a router between them, and tcpdump: namespaces
 * with veth pairs, made by `ip`. The router may lose packets, so that a capture behind it has them
 * late and out of order, when they are sent again. (netem, which does the same, is missing in small
 * kernels.)
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { closeNamespace, inNamespaces, type Namespace } from "../../src/sys/namespace.ts";
import { ip, newNetwork, pathOf } from "./plain-hosts.ts";
import { programPath } from "./program-path.ts";
import { eventually } from "./waiting.ts";

/** One of the two hosts. */
export type Host = "server" | "client";

/** The addresses that the hosts have. */
export const hostAddresses = { server: "198.51.100.7", client: "10.20.0.2" } as const;

/** A process on a host. */
export interface HostProcess {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output: string;
  readonly ended: Promise<number | null>;
}

export class CapturedHosts {
  readonly #router: Namespace = newNetwork();
  readonly #hosts: Readonly<Record<Host, Namespace>> = {
    server: newNetwork(),
    client: newNetwork(),
  };
  readonly #folder: string;
  readonly #processes: HostProcess[] = [];
  readonly #captures: { readonly tcpdump: HostProcess; readonly file: string }[] = [];

  /** `lossPercent`: how many TCP packets the router loses, in both directions. */
  constructor(folder: string, lossPercent = 0) {
    this.#folder = folder;
    for (const host of ["server", "client"] as const) this.#connect(host);
    this.#do(this.#router, "sysctl -qw net.ipv4.ip_forward=1");
    if (lossPercent === 0) return;
    const rule = `meta l4proto tcp numgen random mod 100 < ${lossPercent} drop`;
    const chain = `chain loss {\ntype filter hook forward priority 0\n${rule}\n}`;
    this.#do(this.#router, `nft 'table inet loss {\n${chain}\n}'`);
  }

  /** Starts tcpdump on a host, and returns the file that it writes once it captures. */
  async capture(host: Host, ...options: readonly string[]): Promise<string> {
    const file = join(this.#folder, `${host}.pcap`);
    const arguments_ = ["-i", "veth0", "-Z", "root", "-U", "-B", "65536", ...options, "-w", file];
    const tcpdump = this.start(host, `exec tcpdump ${arguments_.join(" ")}`);
    this.#captures.push({ tcpdump, file });
    await eventually("tcpdump captures", () => /listening on/.test(tcpdump.output), {
      explain: () => tcpdump.output,
    });
    return file;
  }

  /** Ends the captures once they have everything: a last datagram, which they have to have. */
  async endCaptures(): Promise<void> {
    const words = "the last packet";
    await this.run("client", `bash -c 'echo ${words} >/dev/udp/${hostAddresses.server}/9'`);
    for (const { tcpdump, file } of this.#captures) {
      await eventually("the capture is whole", () => readFileSync(file).includes(words));
      tcpdump.child.kill("SIGINT");
      await tcpdump.ended;
    }
  }

  /** Starts a shell command on a host. */
  start(host: Host, command: string): HostProcess {
    const child = inNamespaces([this.#hosts[host]], () =>
      spawn("/bin/sh", ["-c", command], {
        cwd: this.#folder,
        env: { ...process.env, PATH: programPath },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    const started: HostProcess = {
      child,
      output: "",
      ended: new Promise((resolve, reject) => child.once("close", resolve).once("error", reject)),
    };
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (started.output += text));
    this.#processes.push(started);
    return started;
  }

  /** Runs a shell command on a host to its end, and returns what it printed. Throws if it fails. */
  async run(host: Host, command: string): Promise<string> {
    const started = this.start(host, command);
    const code = await started.ended;
    if (code !== 0) throw new Error(`${command}: exit ${code}\n${started.output}`);
    return started.output;
  }

  /** Waits until somebody listens on a port of the server. */
  async listening(port: number): Promise<void> {
    const isThere = (): boolean => {
      const { stdout } = inNamespaces([this.#hosts.server], () =>
        spawnSync("ss", ["-Hltn", `sport = :${port}`], { encoding: "utf8" }),
      );
      return stdout !== "";
    };
    await eventually(`somebody listens on port ${port}`, isThere);
  }

  async close(): Promise<void> {
    for (const { child, ended } of this.#processes) {
      child.kill("SIGKILL");
      await ended.catch(() => {});
    }
    for (const network of [this.#router, ...Object.values(this.#hosts)]) closeNamespace(network);
  }

  /**
   * A veth pair between a host and the router, which passes packets on one segment at a time, as a
   * wire does.
   */
  #connect(host: Host): void {
    const address = hostAddresses[host];
    const gateway = address.replace(/\d+$/, "254");
    inNamespaces([this.#router], () =>
      ip(
        `link add ${host} type veth peer name veth0 netns ${pathOf(this.#hosts[host])}`,
        `address add ${gateway}/24 dev ${host}`,
        `link set ${host} up gso_max_segs 1`,
      ),
    );
    inNamespaces([this.#hosts[host]], () =>
      ip(
        "link set lo up",
        "link set veth0 up gso_max_segs 1",
        `address add ${address}/24 dev veth0`,
        `route add default via ${gateway}`,
      ),
    );
  }

  #do(network: Namespace, command: string): void {
    const { status, stderr } = inNamespaces([network], () =>
      spawnSync("/bin/sh", ["-c", command], {
        encoding: "utf8",
        env: { ...process.env, PATH: programPath },
      }),
    );
    if (status !== 0) throw new Error(`${command}: ${stderr}`);
  }
}
