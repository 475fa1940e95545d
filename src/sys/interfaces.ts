/** Network interfaces and their addresses, in the calling thread's network namespace. */
import * as abi from "./abi.ts";
import type { Namespace } from "./namespace.ts";
import { familyOf, indexOf, Request, text, u32 } from "./netlink.ts";

/** Brings an interface up and applies the given settings. */
export function setLinkUp(
  name: string,
  options: { readonly mtuBytes?: number; readonly queuePackets?: number } = {},
): void {
  const request = new Request(abi.RTM_NEWLINK, 0, abi.ifinfomsgBytes);
  request.body.setInt32(4, indexOf(name), true);
  setFlags(request.body, abi.IFF_UP);
  if (options.mtuBytes !== undefined) request.attribute(abi.IFLA_MTU, u32(options.mtuBytes));
  if (options.queuePackets !== undefined)
    request.attribute(abi.IFLA_TXQLEN, u32(options.queuePackets));
  request.perform("RTM_NEWLINK", `interface ${name}`);
}

/**
 * Makes the kernel check an interface's carrier now. Otherwise it checks later, and drops packets
 * until then (net/core/link_watch.c; rtnl_getlink in net/core/rtnetlink.c, since Linux 6.8).
 */
export function settleCarrier(name: string): void {
  const request = new Request(abi.RTM_GETLINK, 0, abi.ifinfomsgBytes);
  request.body.setInt32(4, indexOf(name), true);
  request.perform("RTM_GETLINK", `interface ${name}`);
}

export function deleteLink(name: string): void {
  const request = new Request(abi.RTM_DELLINK, 0, abi.ifinfomsgBytes);
  request.body.setInt32(4, indexOf(name), true);
  request.perform("RTM_DELLINK", `interface ${name}`);
}

/** Adds an address (4 or 16 bytes) to an interface, and with it the route to its prefix. */
export function addAddress(
  name: string,
  address: Uint8Array,
  prefixBits: number,
  broadcast?: Uint8Array,
): void {
  // struct ifaddrmsg: family u8, prefixlen u8, flags u8, scope u8, index u32
  const request = new Request(abi.RTM_NEWADDR, abi.NLM_F_CREATE | abi.NLM_F_EXCL, 8);
  request.body.setUint8(0, familyOf(address));
  request.body.setUint8(1, prefixBits);
  // No duplicate address detection: the link has no other host, and the address is usable at once.
  request.body.setUint8(2, abi.IFA_F_NODAD);
  request.body.setUint32(4, indexOf(name), true);
  request.attribute(abi.IFA_LOCAL, address);
  request.attribute(abi.IFA_ADDRESS, address);
  if (broadcast) request.attribute(abi.IFA_BROADCAST, broadcast);
  request.perform("RTM_NEWADDR", `interface ${name}`);
}

/**
 * Creates a veth pair: `name` here and `peerName` in `peerNamespace`, both still down. Neither
 * resolves addresses (`IFF_NOARP`). The kernel then uses the sender's own MAC as the destination
 * (arp_constructor in net/ipv4/arp.c), so both ends get the same MAC.
 */
export function createVethPair(name: string, peerName: string, peerNamespace: Namespace): void {
  const request = new Request(
    abi.RTM_NEWLINK,
    abi.NLM_F_CREATE | abi.NLM_F_EXCL,
    abi.ifinfomsgBytes,
  );
  setFlags(request.body, abi.IFF_NOARP);
  request.attribute(abi.IFLA_IFNAME, text(name));
  request.attribute(abi.IFLA_ADDRESS, sharedMac);
  request.nest(abi.IFLA_LINKINFO, () => {
    request.attribute(abi.IFLA_INFO_KIND, text("veth"));
    request.nest(abi.IFLA_INFO_DATA, () =>
      request.nest(abi.VETH_INFO_PEER, () => {
        request.append(peerHeader);
        request.attribute(abi.IFLA_IFNAME, text(peerName));
        request.attribute(abi.IFLA_ADDRESS, sharedMac);
        request.attribute(abi.IFLA_NET_NS_FD, u32(peerNamespace.fd));
      }),
    );
  });
  request.perform("RTM_NEWLINK", `veth pair ${name} and ${peerName}`);
}

/** Locally administered. */
const sharedMac = Uint8Array.of(0x02, 0, 0, 0, 0, 0x01);
const peerHeader = new Uint8Array(abi.ifinfomsgBytes);
setFlags(new DataView(peerHeader.buffer), abi.IFF_NOARP);

/** struct ifinfomsg: family u8, pad u8, type u16, index i32, flags u32, change mask u32 */
function setFlags(header: DataView, flags: number): void {
  header.setUint32(8, flags, true);
  header.setUint32(12, flags, true);
}
