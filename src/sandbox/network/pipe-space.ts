/**
 * The pipe space: the network namespace of the pipes' sockets. It has no process, and masquerades
 * as all containers at once.
 *
 * For a connection from A to B, a pipe has two sockets here: one accepted at B's address with peer
 * A, and one connected from A's address to B. So every address must be local for incoming packets
 * and remote for outgoing ones. Linux decides both by routes, and rules choose between two routing
 * tables (ip-rule(8), "policy routing"). Packets from these sockets come `from lo` and use the main
 * table, which has the routes to the containers. Packets from a device use the local table, in
 * which the whole subnet is local. No address or checksum is rewritten, and there is no connection
 * tracking.
 */
import type { Subnet } from "../../net/subnet.ts";
import { RT_TABLE_LOCAL, RT_TABLE_MAIN } from "../../sys/abi.ts";
import { addRoute, addRule, deleteRule } from "../../sys/routes.ts";
import { createSpace, device, type Space, trySysctl } from "./space.ts";

/**
 * Creates the pipe space. `hasLinks`: some packets cross links. `bufferBytes`: see {@link
 * boundBuffers}; by default the machine's setting applies.
 */
export function createPipeSpace(
  subnets: readonly Subnet[],
  hasLinks: boolean,
  bufferBytes?: number,
): Space {
  return createSpace(!hasLinks, () => {
    for (const [name, value] of sysctls) trySysctl(name, value);
    // Traffic that only crosses memory needs no congestion control. The setting covers IPv6, too.
    if (!hasLinks) trySysctl("net/ipv4/tcp_congestion_control", "reno");
    if (bufferBytes !== undefined) boundBuffers(bufferBytes);
    for (const subnet of subnets) masqueradeAll(subnet);
  });
}

/**
 * See Documentation/networking/ip-sysctl.rst. Reuse a port pair in TIME_WAIT at once; allow any
 * number of pending connections; keep the congestion window over idle times, since the ends are in
 * the same memory; and accept packets from local addresses, since all addresses are local here.
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
 * Limits the buffers of the pipes' sockets, in each direction: tcp_rmem and tcp_wmem of tcp(7),
 * whose second number is the initial size. A sender blocks when its reader sleeps and the buffers
 * are full.
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
  // The kernel's own first rule would apply the local table to outgoing packets as well.
  deleteRule({ family, priority: 0, table: RT_TABLE_LOCAL });
}
