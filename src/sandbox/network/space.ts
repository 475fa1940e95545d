/**
 * A space: a network namespace with a TUN device. Each container has one, and all pipes share one.
 * The host's own namespace is never configured.
 */
import { existsSync, writeFileSync } from "node:fs";
import { allOrNothingNow } from "../../base/undo-stack.ts";
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
  /** The TUN device's descriptor. */
  readonly tun: Fd;
}

/** The name of the TUN device in every space. */
export const device = "tun0";
/** Ethernet's MTU, as on a real network. With offload, packets still carry up to 64 KiB. */
const mtuBytes = 1500;
/** The kernel's queue towards the switch; it drops packets beyond that. */
const queuePackets = 4096;

/** Whether this machine supports IPv6. */
export function hasIpv6(): boolean {
  return existsSync("/proc/sys/net/ipv6");
}

/**
 * Creates a space and runs `configure` inside. Its device has no address before that, so no packet
 * is lost. Without `segmentation`, packets from the device have the size that they would have on a
 * wire.
 */
export function createSpace(segmentation: boolean, configure: () => void): Space {
  try {
    return inNewNamespaces(["net"], () =>
      allOrNothingNow((undos) => {
        quietenIpv6();
        const tun = createTun(device, segmentation);
        undos.push(() => closeTun(tun));
        setLinkUp("lo");
        setLinkUp(device, { mtuBytes, queuePackets });
        configure();
        return { namespace: currentNamespace("net"), tun };
      }),
    );
  } catch (error) {
    throw explained(error);
  }
}

/** Frees a space. The namespace and its device disappear with the last process and socket in it. */
export function closeSpace({ tun, namespace }: Space): void {
  closeTun(tun);
  closeNamespace(namespace);
}

/** Sets a sysctl of the calling thread's network namespace, if the kernel has and allows it. */
export function trySysctl(name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
  } catch {
    // An older kernel, IPv6 switched off, or a read-only /proc/sys. All of them work, some less
    // well.
  }
}

/**
 * Disables router solicitations and link-local addresses on new devices: nobody would hear them.
 */
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
      `this kernel has no policy routing (${error.message}): use one with CONFIG_IP_MULTIPLE_TABLES`,
      { cause: error, code: "no-policy-routing" },
    );
  return error;
}
