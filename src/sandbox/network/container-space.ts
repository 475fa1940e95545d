/** A container's network space: `lo`, and `tun0` with the container's address in each subnet. */
import type { ContainerIndex } from "../../base/ids.ts";
import { hostOf } from "../../base/units.ts";
import type { Subnet } from "../../net/subnet.ts";
import { addAddress } from "../../sys/interfaces.ts";
import { addRoute } from "../../sys/routes.ts";
import { createSpace, device, type Space, trySysctl } from "./space.ts";

/**
 * Creates the space of container `container`, which may be at the end of a link. `furnish` runs
 * inside after everything else is set up.
 */
export function createContainerSpace(
  subnets: readonly Subnet[],
  container: ContainerIndex,
  isLinked: boolean,
  furnish?: () => void,
): Space {
  return createSpace(!isLinked, () => {
    for (const subnet of subnets) if (subnet.has(hostOf(container))) addHost(subnet, container);
    // "Host unreachable" comes from the container's own address, as on Linux when ARP gets no
    // answer. The kernel takes such a packet from outside for a forgery unless this is set
    // (ip-sysctl.rst).
    trySysctl(`net/ipv4/conf/${device}/accept_local`, "1");
    // Any user may ping, as on most desktops: icmp(7), ping_group_range.
    trySysctl("net/ipv4/ping_group_range", "0 2147483647");
    furnish?.();
  });
}

function addHost(subnet: Subnet, container: ContainerIndex): void {
  const address = subnet.addressBytes(hostOf(container));
  if (subnet.prefixBits > 0)
    return addAddress(device, address, subnet.prefixBits, broadcastOf(subnet));
  // A host in no subnet: the way to all others is the same device.
  addAddress(device, address, address.length * 8, undefined);
  const { network, prefixBits } = subnet;
  addRoute({ kind: "unicast", network, prefixBits, interfaceName: device });
}

function broadcastOf(subnet: Subnet): Uint8Array | undefined {
  if (subnet.family === 6) return undefined;
  return subnet.addressBytes(hostOf(subnet.capacity));
}
