/**
 * A network as it is without plg: hosts that are namespaces, on one bridge. It is made by `ip`, not
 * by what plg makes its own networks with. Nothing has a name, so all goes with the last
 * descriptor.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { closeNamespace, inNamespaces, type Namespace } from "../../src/sys/namespace.ts";
import { configureHost, ip, newNetwork, pathOf } from "./plain-hosts.ts";

export class PlainNetwork {
  readonly #bridge = newNetwork();
  readonly #hosts: readonly Namespace[];
  readonly #children: ChildProcess[] = [];

  /** With one host for each list of addresses, which have their prefix lengths with them. */
  constructor(hosts: readonly (readonly string[])[]) {
    inNamespaces([this.#bridge], () =>
      ip("link add br0 type bridge mcast_snooping 0", "link set br0 up"),
    );
    this.#hosts = hosts.map((addresses, i) => this.#addHost(addresses, i));
  }

  /** Runs a program on a host. Settles with what it printed, by lines. */
  async run(host: number, file: string, ...args: readonly string[]): Promise<string[]> {
    const namespace = this.#hosts[host];
    if (!namespace) throw new Error(`there is no host ${host}`);
    const child = inNamespaces([namespace], () =>
      spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] }),
    );
    this.#children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
    return output.split("\n").filter((line) => line !== "");
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const namespace of [this.#bridge, ...this.#hosts]) closeNamespace(namespace);
  }

  #addHost(addresses: readonly string[], number: number): Namespace {
    const host = newNetwork();
    inNamespaces([this.#bridge], () => {
      ip(
        `link add port${number} type veth peer name eth0 netns ${pathOf(host)}`,
        `link set port${number} master br0`,
        `link set port${number} up`,
      );
    });
    inNamespaces([host], () => {
      // As in plg's containers: nobody has link-local addresses.
      writeFileSync("/proc/sys/net/ipv6/conf/eth0/addr_gen_mode", "1");
      configureHost("eth0", addresses);
    });
    return host;
  }
}
