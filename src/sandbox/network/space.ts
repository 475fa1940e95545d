/**
 * A space: a network namespace with a TUN device. Each container has one, and the pipes have one together.
 * The host's own namespace is never configured.
 */
import { existsSync, writeFileSync } from "node:fs";
import { MachineError } from "../../base/errors.ts";
import type { Fd } from "../../base/units.ts";
import { SystemError } from "../../sys/errno.ts";
import { setLinkUp } from "../../sys/interfaces.ts";
import {
  closeNamespace,
  currentNamespace,
  inNewNamespaces,
  type Namespace,
} from "../../sys/namespace.ts";
import { closeTun, createTun } from "../../sys/tun.ts";

export interface Space {
  readonly namespace: Namespace;
  /** The descriptor of its TUN device. */
  readonly tun: Fd;
}

/** The TUN device, in every space. */
export const device = "tun0";
/** That of Ethernet: what a process sees on a real network. Offload carries 64 KiB all the same. */
const mtuBytes = 1500;
/** Packets that the kernel queues for the switch before it drops some. */
const queuePackets = 4096;

/** Whether this machine has IPv6 at all. */
export function hasIpv6(): boolean {
  return existsSync("/proc/sys/net/ipv6");
}

/**
 * Makes a space; `configure` runs in it. Its device has no address yet, so nothing is lost before it is up.
 * Without `segmentation` each packet that comes out of the device is a packet on the wire.
 */
export function createSpace(segmentation: boolean, configure: () => void): Space {
  try {
    return inNewNamespaces(["net"], () => {
      quietenIpv6();
      const tun = createTun(device, segmentation);
      setLinkUp("lo");
      setLinkUp(device, { mtuBytes, queuePackets });
      configure();
      return { namespace: currentNamespace("net"), tun };
    });
  } catch (error) {
    throw explained(error);
  }
}

/** Frees a space. Its namespace goes when its last process and socket are gone, and the device with it. */
export function closeSpace({ tun, namespace }: Space): void {
  closeTun(tun);
  closeNamespace(namespace);
}

/** Sets a sysctl of the calling thread's network namespace, where the kernel has it and lets us. */
export function trySysctl(name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
  } catch {
    // An older kernel, IPv6 switched off, or a read-only /proc/sys: all work, some a little worse.
  }
}

/** No router solicitations and no link-local addresses on what is made from now on: there is nobody to hear them. */
function quietenIpv6(): void {
  for (const conf of ["default", "lo"]) trySysctl(`net/ipv6/conf/${conf}/disable_ipv6`, "0");
  trySysctl("net/ipv6/conf/default/addr_gen_mode", "1");
  trySysctl("net/ipv6/conf/default/router_solicitations", "0");
}

function explained(error: unknown): unknown {
  if (!(error instanceof SystemError)) return error;
  if (error.code === "EPERM")
    return new MachineError(
      `no permission to make a network namespace (${error.message}): run as root, or where users may make user namespaces`,
      { cause: error },
    );
  if (error.code === "ENOSPC")
    return new MachineError(
      `the kernel allows no more network namespaces (${error.message}): raise the sysctl user.max_net_namespaces`,
      { cause: error },
    );
  // fib_nl_newrule in net/core/fib_rules.c, where there are no rules of this family.
  if (error.code === "EAFNOSUPPORT" || error.code === "EOPNOTSUPP")
    return new MachineError(
      `this kernel has no policy routing (${error.message}): use one with CONFIG_IP_MULTIPLE_TABLES, or --no-ipv6 if only IPv6 is without`,
      { cause: error },
    );
  return error;
}
