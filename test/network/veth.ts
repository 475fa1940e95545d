/**
 * A plain network of two hosts: two namespaces, and a veth pair between them. It is made by `ip`, not by
 * what plg makes its own networks with. The namespaces have no names, so they go with the last descriptor and process.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Role } from "./actor/stage.ts";
import {
  closeNamespace,
  currentNamespace,
  inNamespaces,
  inNewNamespaces,
  type Namespace,
} from "../../src/sys/namespace.ts";

/** A host's addresses, each with its prefix length. */
type Addresses = readonly string[];

export class VethPair {
  readonly hosts: Readonly<Record<Role, Namespace>>;

  constructor(addresses: Readonly<Record<Role, Addresses>>) {
    const server = inNewNamespaces(["net"], () => currentNamespace("net"));
    const client = inNewNamespaces(["net"], () => currentNamespace("net"));
    this.hosts = { server, client };
    inNamespaces([server], () => {
      // iproute2 takes a path for the name of a namespace.
      const theirs = `/proc/${process.pid}/fd/${client.fd}`;
      ip(`link add veth0 type veth peer name veth0 netns ${theirs}`);
      configure(addresses.server);
    });
    inNamespaces([client], () => configure(addresses.client));
  }

  close(): void {
    for (const host of Object.values(this.hosts)) closeNamespace(host);
  }
}

function configure(addresses: Addresses): void {
  for (const name of ["all", "default", "veth0", "lo"])
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0");
  ip(
    "link set lo up",
    "link set veth0 up",
    ...addresses.map((address) => `address add ${address} dev veth0 nodad`),
  );
}

function ip(...lines: readonly string[]): void {
  const { status, stderr, error } = spawnSync("ip", ["-batch", "-"], {
    input: `${lines.join("\n")}\n`,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`ip cannot do "${lines.join("; ")}": ${error ?? stderr}`);
}
