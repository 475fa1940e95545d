/** The text of the containers' /etc/hosts: pure. */
import type { Topology } from "../network/topology.ts";

/** All containers by name, and behind them what the machine's own file says. */
export function hostsText(topology: Topology, machineHosts: string): string {
  const lines = topology.containers.flatMap(({ name, addresses }) =>
    addresses.map((address) => `${address}\t${name}`),
  );
  return `# The containers of this run of plg, then the machine's own hosts.\n${lines.join("\n")}\n\n${machineHosts}`;
}
