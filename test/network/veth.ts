/**
 * A plain network of two hosts: two namespaces, and a veth pair between them. It is made by `ip`,
 * not by what plg makes its own networks with. The namespaces have no names, so they go with the
 * last descriptor and process.
 */
import type { Role } from "./actor/stage.ts";
import { closeNamespace, inNamespaces, type Namespace } from "../../src/sys/namespace.ts";
import { configureHost, ip, newNetwork, pathOf } from "../programs/plain-hosts.ts";

/** A host's addresses, each with its prefix length. */
type Addresses = readonly string[];

export class VethPair {
  readonly hosts: Readonly<Record<Role, Namespace>>;

  constructor(addresses: Readonly<Record<Role, Addresses>>) {
    const server = newNetwork();
    const client = newNetwork();
    this.hosts = { server, client };
    inNamespaces([server], () => {
      ip(`link add veth0 type veth peer name veth0 netns ${pathOf(client)}`);
      configureHost("veth0", addresses.server);
    });
    inNamespaces([client], () => configureHost("veth0", addresses.client));
  }

  close(): void {
    for (const host of Object.values(this.hosts)) closeNamespace(host);
  }
}
