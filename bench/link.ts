/**
 * The direct network: two namespaces connected by a veth pair, like containers elsewhere. The
 * namespaces have no names, so they and the pair disappear with their last descriptor and process,
 * however the benchmark ends.
 */
import { spawnSync } from "node:child_process";
import { MachineError } from "../src/base/errors.ts";
import {
  closeNamespace,
  currentNamespace,
  inNamespaces,
  inNewNamespaces,
  type Namespace,
} from "../src/sys/namespace.ts";
import { addAddress, setLinkUp } from "../src/sys/interfaces.ts";
import { clientAddress, serverAddress } from "./measurement.ts";

export interface Link {
  readonly server: Namespace;
  readonly client: Namespace;
}

const device = "veth0";
const prefixBits = 24;

export function createLink(): Link {
  const server = inNewNamespaces(["net"], () => currentNamespace("net"));
  const client = inNewNamespaces(["net"], () => currentNamespace("net"));
  inNamespaces([server], () => createPair(client));
  inNamespaces([server], () => configure(serverAddress));
  inNamespaces([client], () => configure(clientAddress));
  return { server, client };
}

export function closeLink({ server, client }: Link): void {
  closeNamespace(server);
  closeNamespace(client);
}

/** iproute2 accepts a path as the name of a namespace. */
function createPair(peer: Namespace): void {
  const theirs = `/proc/${process.pid}/fd/${peer.fd}`;
  const pair = ["link", "add", device, "type", "veth", "peer", "name", device, "netns", theirs];
  const { error, status, stderr } = spawnSync("ip", pair, { encoding: "utf8" });
  if (error)
    throw new MachineError(`cannot run ip: ${error.message}; install iproute2 for the direct link`);
  if (status !== 0) throw new MachineError(`cannot make a veth pair: ${stderr.trim()}`);
}

function configure(address: string): void {
  setLinkUp("lo");
  addAddress(device, Uint8Array.from(address.split("."), Number), prefixBits);
  setLinkUp(device);
}
