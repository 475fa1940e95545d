/** A container's network space: `lo`, and `tun0` with the container's address in each subnet. */
import { hostOf } from "../../base/units.ts";
import type { Subnet } from "../../net/subnet.ts";
import { addAddress } from "../../sys/interfaces.ts";
import { createSpace, device, type Space, trySysctl } from "./space.ts";

/**
 * Creates the space of container `container`, which may be at the end of a link. `furnish` runs
 * inside after everything else is set up.
 */
export function createContainerSpace(
  subnets: readonly Subnet[],
  container: number,
  isLinked: boolean,
  furnish?: () => void,
): Space {
  return createSpace(!isLinked, () => {
    for (const subnet of subnets) {
      const address = subnet.addressBytes(hostOf(container));
      addAddress(device, address, subnet.prefixBits, broadcastOf(subnet));
    }
    // "Host unreachable" comes from the container's own address, as on Linux when ARP gets no
    // answer. The kernel takes such a packet from outside for a forgery unless this is set
    // (ip-sysctl.rst).
    trySysctl(`net/ipv4/conf/${device}/accept_local`, "1");
    // Any user may ping, as on most desktops: icmp(7), ping_group_range.
    trySysctl("net/ipv4/ping_group_range", "0 2147483647");
    furnish?.();
  });
}

function broadcastOf(subnet: Subnet): Uint8Array | undefined {
  if (subnet.family === 6) return undefined;
  return subnet.addressBytes(hostOf(subnet.capacity));
}
