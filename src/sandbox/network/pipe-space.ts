/**
 * The pipe space: where the pipes have their sockets, and no process lives. It masquerades as every
 * container at once.
 *
 * For a connection from A to B a pipe has two sockets here: one accepted at B's address with A as its
 * peer, one connected from A's address to B. So each address must be local when a packet comes in,
 * and a neighbour when one goes out. Linux decides both by routes, and rules choose between two
 * tables of them (ip-rule(8), "policy routing"): what these sockets send comes `from lo`, and finds
 * in the main table the way to the containers; what comes from a device finds the local table, in
 * which the whole subnet is our own. Packets cross as they are: no address is rewritten, no
 * checksum, and nothing is remembered of a connection.
 */
import type { Subnet } from "../../net/subnet.ts";
import { RT_TABLE_LOCAL, RT_TABLE_MAIN } from "../../sys/abi.ts";
import { addRoute, addRule, deleteRule } from "../../sys/routes.ts";
import { createSpace, device, type Space, trySysctl } from "./space.ts";

/** `hasLinks`: some of its packets go over links. `bufferBytes`: see {@link boundBuffers}; the machine's own if not given. */
export function createPipeSpace(
  subnets: readonly Subnet[],
  hasLinks: boolean,
  bufferBytes?: number,
): Space {
  return createSpace(!hasLinks, () => {
    for (const [name, value] of sysctls) trySysctl(name, value);
    // What crosses nothing but memory is best left alone. It is for IPv6 as well.
    if (!hasLinks) trySysctl("net/ipv4/tcp_congestion_control", "reno");
    if (bufferBytes !== undefined) boundBuffers(bufferBytes);
    for (const subnet of subnets) masqueradeAll(subnet);
  });
}

/**
 * Documentation/networking/ip-sysctl.rst says what these are. Reuse a port pair from TIME_WAIT at
 * once; accept as many connections at once as come; keep the window open over idle times, as nothing
 * but memory is between the ends; take packets that claim to come from an address of ours, as all do.
 */
const sysctls: readonly (readonly [string, string])[] = [
  ["net/ipv4/tcp_tw_reuse", "1"],
  ["net/ipv4/tcp_tw_reuse_delay", "0"],
  ["net/core/somaxconn", "65535"],
  ["net/ipv4/tcp_max_syn_backlog", "65535"],
  ["net/ipv4/tcp_slow_start_after_idle", "0"],
  ["net/ipv4/conf/all/accept_local", "1"],
  ["net/ipv4/conf/all/rp_filter", "0"],
  ["net/ipv4/conf/default/rp_filter", "0"],
  [`net/ipv4/conf/${device}/rp_filter`, "0"],
];

/**
 * How large the buffers of the pipes' sockets may grow, each for receiving and for sending: tcp(7), tcp_rmem
 * and tcp_wmem, of which the kernel starts with the second number. A sender whose reader sleeps is held once they are full.
 */
function boundBuffers(mostBytes: number): void {
  const firstBytes = Math.min(mostBytes, 0x1_0000);
  for (const name of ["tcp_rmem", "tcp_wmem"])
    trySysctl(`net/ipv4/${name}`, `4096 ${firstBytes} ${mostBytes}`);
}

function masqueradeAll({ family, network, prefixBits }: Subnet): void {
  addRoute({ kind: "local", network, prefixBits, interfaceName: "lo" });
  addRoute({ kind: "unicast", network, prefixBits, interfaceName: device });
  addRule({ family, priority: 10, from: "lo", table: RT_TABLE_MAIN });
  addRule({ family, priority: 20, table: RT_TABLE_LOCAL });
  // The kernel's own first rule would find the local table for what goes out as well.
  deleteRule({ family, priority: 0, table: RT_TABLE_LOCAL });
}
