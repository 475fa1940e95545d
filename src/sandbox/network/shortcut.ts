/**
 * The shortcut: how TCP crosses between a container and the pipe space without a way through our own
 * memory. Beside its TUN device the container gets one end of a veth pair, whose other end is in the
 * pipe space.
 *
 *   container                                                        pipe space
 *   tun0  <--- SYN, RST, and what is not TCP ---> the switch <--->   tun0
 *   tcp0  <------------------ the rest of TCP ------------------->   c0, c1, ...
 *
 * A rule in the container leads TCP out through `tcp0`. A filter there sends what begins a connection
 * or breaks it off out through `tun0` after all: the switch has to know of it, and holds a SYN back.
 * What comes in by `tcp0` is made to arrive from `tun0`, so that a process sees one device at work:
 * sockets bound to it get their packets, and once it is down nothing comes in.
 *
 * A filter at the other end sends what says "there is no such connection" to the switch as well. It
 * may be said by mistake, see `onBareReset` in pipe/attempts.ts.
 *
 * With it a byte is copied twice on its way through plg, into the record and out of it; through the
 * switch six times. It needs veth, clsact, cls_bpf and mirred of the kernel, which most have as
 * modules. Where one is missing, all goes through the switch: as right, but slower.
 */
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
/** The container's table of routes for TCP, which is looked into before the main one. */
const tcpRoutes = { table: 100, priority: 100 } as const;

/** As {@link createShortcut}; false if the kernel cannot, and then nothing of it is left. */
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
 * Gives the container in whose namespace the thread is a shortcut into the pipe space. Its `tun0` is
 * up. Throws a SystemError where the kernel lacks something.
 */
export function createShortcut(
  subnets: readonly Subnet[],
  container: number,
  pipeSpace: Namespace,
): void {
  const peer = `c${container}`;
  createVethPair(device, peer, pipeSpace);
  setLinkUp(device);
  addFilterHooks(device);
  redirect({ name: device, way: "out" }, connectionChange, { name: tun, way: "out" });
  redirect({ name: device, way: "in" }, everything, { name: tun, way: "in" });
  inNamespaces([pipeSpace], () => {
    setLinkUp(peer);
    addFilterHooks(peer);
    redirect({ name: peer, way: "out" }, bareReset, { name: tun, way: "out" });
    for (const subnet of subnets) {
      const network = subnet.addressBytes(hostOf(container));
      const prefixBits = network.length * 8;
      addRoute({ kind: "unicast", network, prefixBits, interfaceName: peer });
    }
  });
  settleCarrier(device);
  for (const subnet of subnets) leadTcp(subnet, container);
}

/** From here on the container's TCP takes the shortcut. */
function leadTcp(subnet: Subnet, container: number): void {
  const { family, network, prefixBits } = subnet;
  const { table, priority } = tcpRoutes;
  const source = subnet.addressBytes(hostOf(container));
  addRoute({ kind: "unicast", network, prefixBits, interfaceName: device, table, source });
  addRule({ family, priority, table, protocol: IPPROTO_TCP });
}

/** The pair's other end, the filters and the routes go with the device. A rule that finds no route is none. */
function removeShortcut(): void {
  try {
    deleteLink(device);
  } catch {
    // It was not made.
  }
}
