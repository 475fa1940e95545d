/** Builds the containers' /etc/hosts: pure. */
import { foldName } from "../../base/container-name.ts";
import type { Topology } from "../network/topology.ts";

/** A resolver may compare names exactly, and a program may have lowercased the name. */
function spellings(name: string): readonly string[] {
  const folded = foldName(name);
  return folded === name ? [name] : [name, folded];
}

/** All containers by name, followed by the machine's own entries. */
export function hostsText(topology: Topology, machineHosts: string): string {
  const lines = topology.containers.flatMap(({ name, addresses }) =>
    addresses.map((address) => `${address}\t${spellings(name).join(" ")}`),
  );
  return `# The containers of this run of plg, then the machine's own hosts.\n${lines.join("\n")}\n\n${machineHosts}`;
}
