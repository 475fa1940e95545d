/**
 * The shortcut: lets TCP pass between a container and the pipe space without going through plg's
 * memory. In addition to its TUN device, the container gets one end of a veth pair whose other end
 * is in the pipe space.
 *
 *   container                                                        pipe space
 *   tun0  <--- SYN, RST, and what is not TCP ---> the switch <--->   tun0
 *   tcp0  <------------------ the rest of TCP ------------------->   c0, c1, ...
 *
 * A rule in the container routes TCP through `tcp0`. A filter there redirects packets that open or
 * abort a connection to `tun0`, because the switch must see them, and holds SYNs. Packets that
 * arrive on `tcp0` are made to appear on `tun0`, so that a process sees a single device: sockets
 * bound to it receive their packets, and when it is down nothing arrives.
 *
 * A filter at the other end also sends resets that mean "no such connection" to the switch, because
 * they may be mistaken: see `onBareReset` in pipe/attempts.ts.
 *
 * With the shortcut plg copies a byte twice, into the record and out of it; through the switch, six
 * times. The shortcut needs veth, clsact, cls_bpf and mirred, which most kernels have as modules.
 * Without one of them everything goes through the switch, just as correctly, but more slowly.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { hostOf } from "../../base/units.ts";
import { bareReset, connectionChange, everything } from "../../net/bpf.ts";
import type { Subnet } from "../../net/subnet.ts";
import { IPPROTO_TCP } from "../../sys/abi.ts";
import { SystemError } from "../../sys/errno.ts";
import { createVethPair, deleteLink, setLinkUp, settleCarrier } from "../../sys/interfaces.ts";
import { inNamespaces, type Namespace } from "../../sys/namespace.ts";
import { addRoute, addRule } from "../../sys/routes.ts";
import { addFilterHooks, redirect } from "../../sys/traffic-control.ts";
import { device as tun } from "./space.ts";

const device = "tcp0";
/** The container's routing table for TCP, which precedes the main one. */
const tcpRoutes = { table: 100, priority: 100 } as const;

/**
 * Like {@link createShortcut}, but returns false, leaving nothing behind, if the kernel lacks
 * support.
 */
export function tryShortcut(...parameters: Parameters<typeof createShortcut>): boolean {
  try {
    createShortcut(...parameters);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    removeShortcut();
    return false;
  }
}

/**
 * Creates a shortcut to the pipe space for the container whose namespace the thread is in. Its
 * `tun0` must be up. Throws a SystemError if the kernel lacks support.
 */
export function createShortcut(
  subnets: readonly Subnet[],
  container: ContainerIndex,
  pipeSpace: Namespace,
): void {
  const peer = `c${container}`;
  const ownNetworks = subnets.filter((subnet) => subnet.has(hostOf(container)));
  createVethPair(device, peer, pipeSpace);
  setLinkUp(device);
  addFilterHooks(device);
  redirect({ name: device, way: "out" }, connectionChange, { name: tun, way: "out" });
  redirect({ name: device, way: "in" }, everything, { name: tun, way: "in" });
  inNamespaces([pipeSpace], () => {
    setLinkUp(peer);
    addFilterHooks(peer);
    redirect({ name: peer, way: "out" }, bareReset, { name: tun, way: "out" });
    for (const subnet of ownNetworks) {
      const network = subnet.addressBytes(hostOf(container));
      const prefixBits = network.length * 8;
      addRoute({ kind: "unicast", network, prefixBits, interfaceName: peer });
    }
  });
  settleCarrier(device);
  for (const subnet of ownNetworks) leadTcp(subnet, container);
}

/** Switches the container's TCP over to the shortcut. */
function leadTcp(subnet: Subnet, container: ContainerIndex): void {
  const { family, network, prefixBits } = subnet;
  const { table, priority } = tcpRoutes;
  const source = subnet.addressBytes(hostOf(container));
  addRoute({ kind: "unicast", network, prefixBits, interfaceName: device, table, source });
  addRule({ family, priority, table, protocol: IPPROTO_TCP });
}

/**
 * Removes the device, and with it its peer, filters and routes. A rule without routes has no
 * effect.
 */
function removeShortcut(): void {
  try {
    deleteLink(device);
  } catch {
    // The device does not exist.
  }
}
