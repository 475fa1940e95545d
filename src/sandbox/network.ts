/**
 * The network namespaces of a run: one per container, and the pipe space. The host's own namespace is
 * never configured.
 *
 *   container:   lo, and tun0 with the container's address in the subnet
 *   pipe space:  lo, to which the whole pipe network is local, and tun0, which leads to the subnet
 */
import { close, existsSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { MachineError } from "../base/errors.ts";
import { type Fd, hostOf } from "../base/units.ts";
import type { Subnet } from "../net/subnet.ts";
import { type Lane } from "../switch/lane.ts";
import { SystemError } from "../sys/errno.ts";
import {
  closeNamespace,
  currentNamespace,
  inNewNamespaces,
  type Namespace,
} from "../sys/namespace.ts";
import { addAddress, addRoute, setLinkUp } from "../sys/netlink.ts";
import { createTun } from "../sys/tun.ts";

/** A network namespace and the descriptor of its TUN device. */
export interface Space {
  readonly namespace: Namespace;
  readonly tun: Fd;
}

const device = "tun0";
/** That of Ethernet: what a process sees on a real network. Offload carries 64 KiB all the same. */
const mtuBytes = 1500;
/** Packets that the kernel queues for the switch before it drops some. */
const queuePackets = 4096;

/** Whether this machine has IPv6 at all. */
export function hasIpv6(): boolean {
  return existsSync("/proc/sys/net/ipv6");
}

/** The namespace of the `container`-th command: its own address in each subnet. */
export function createContainerSpace(subnets: readonly Subnet[], container: number): Space {
  return createSpace(() => {
    for (const subnet of subnets) {
      const address = subnet.addressBytes(hostOf(container));
      addAddress(device, address, subnet.prefixBits, broadcastOf(subnet));
    }
    setLinkUp(device, { mtuBytes, queuePackets });
    // "Host unreachable" comes from the container's own address, as on Linux where ARP had no answer;
    // from outside, the kernel takes such a packet for a forgery unless it is told (ip-sysctl.rst).
    trySysctl(`net/ipv4/conf/${device}/accept_local`, "1");
    // Anyone may ping, as on most desktops: icmp(7), ping_group_range.
    trySysctl("net/ipv4/ping_group_range", "0 2147483647");
  });
}

/** The namespace in which pipes have their sockets. It is ours alone, so we set it up for this one purpose. */
export function createPipeSpace(lanes: readonly Lane[]): Space {
  return createSpace(() => {
    for (const [name, value] of pipeSysctls) trySysctl(name, value);
    setLinkUp(device, { mtuBytes, queuePackets });
    for (const { subnet, pipeNetwork } of lanes) {
      addRoute("local", pipeNetwork.network, pipeNetwork.prefixBits, "lo");
      addRoute("unicast", subnet.network, subnet.prefixBits, device);
    }
  });
}

/**
 * Frees a space. Its namespace goes when its last process and socket are gone. The kernel takes some
 * 40 ms to take a TUN device down, most of it waiting, so it is left to Node's pool: several at once.
 */
export async function closeSpace(space: Space): Promise<void> {
  await promisify(close)(space.tun);
  closeNamespace(space.namespace);
}

/**
 * Documentation/networking/ip-sysctl.rst says what these are. Reuse a port pair from TIME_WAIT at
 * once; accept as many connections at once as come; keep the window open over idle times, as nothing
 * but memory is between the ends.
 */
const pipeSysctls: readonly (readonly [string, string])[] = [
  ["net/ipv4/tcp_tw_reuse", "1"],
  ["net/ipv4/tcp_tw_reuse_delay", "0"],
  ["net/core/somaxconn", "65535"],
  ["net/ipv4/tcp_max_syn_backlog", "65535"],
  ["net/ipv4/tcp_slow_start_after_idle", "0"],
];

function createSpace(configure: () => void): Space {
  try {
    return inNewNamespaces(["net"], () => {
      const tun = createTun(device);
      quietenIpv6();
      setLinkUp("lo");
      configure();
      return { namespace: currentNamespace("net"), tun };
    });
  } catch (error) {
    if (error instanceof SystemError && error.code === "EPERM")
      throw new MachineError(
        `no permission to make a network namespace (${error.message}): run as root, or where users may make user namespaces`,
        { cause: error },
      );
    if (error instanceof SystemError && error.code === "ENOSPC")
      throw new MachineError(
        `the kernel allows no more network namespaces (${error.message}): raise the sysctl user.max_net_namespaces`,
        { cause: error },
      );
    throw error;
  }
}

/** No router solicitations and no link-local address: there is nobody to hear them. */
function quietenIpv6(): void {
  trySysctl(`net/ipv6/conf/${device}/disable_ipv6`, "0");
  trySysctl("net/ipv6/conf/lo/disable_ipv6", "0");
  trySysctl(`net/ipv6/conf/${device}/addr_gen_mode`, "1");
  trySysctl(`net/ipv6/conf/${device}/router_solicitations`, "0");
}

/** Sets a sysctl of the calling thread's network namespace, where the kernel has it and lets us. */
function trySysctl(name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
  } catch {
    // An older kernel, IPv6 switched off, or a read-only /proc/sys: all work, some a little worse.
  }
}

function broadcastOf(subnet: Subnet): Uint8Array | undefined {
  if (subnet.family === 6) return undefined;
  return subnet.addressBytes(hostOf(subnet.capacity));
}
