/**
 * Interfaces, addresses and routes by rtnetlink(7), in the network namespace of the calling thread.
 * The requests are few and small; they are built anew each time, for clarity.
 */
import type { Fd } from "../base/units.ts";
import * as abi from "./abi.ts";
import { check, SystemError } from "./errno.ts";
import { close, ifNameToIndex, recv, send, socket } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

const exchange = allocateRegion(4096);
/** `struct nlmsghdr`: length u32, type u16, flags u16, sequence u32, port u32. */
const headerBytes = 16;

/** Brings an interface up, with what else is to be set on it. */
export function setLinkUp(
  name: string,
  options: { readonly mtuBytes?: number; readonly queuePackets?: number } = {},
): void {
  // struct ifinfomsg: family u8, pad u8, type u16, index i32, flags u32, change u32
  const message = new Message(abi.RTM_NEWLINK, 0, 16);
  message.body.setInt32(4, indexOf(name), true);
  message.body.setUint32(8, abi.IFF_UP, true);
  message.body.setUint32(12, abi.IFF_UP, true);
  if (options.mtuBytes !== undefined) message.attribute(abi.IFLA_MTU, u32(options.mtuBytes));
  if (options.queuePackets !== undefined)
    message.attribute(abi.IFLA_TXQLEN, u32(options.queuePackets));
  message.perform("RTM_NEWLINK", `interface ${name}`);
}

/** Gives an interface an address (4 or 16 bytes) and with it the route to its prefix. */
export function addAddress(
  name: string,
  address: Uint8Array,
  prefixBits: number,
  broadcast?: Uint8Array,
): void {
  // struct ifaddrmsg: family u8, prefixlen u8, flags u8, scope u8, index u32
  const message = new Message(abi.RTM_NEWADDR, abi.NLM_F_CREATE | abi.NLM_F_EXCL, 8);
  message.body.setUint8(0, familyOf(address));
  message.body.setUint8(1, prefixBits);
  // No duplicate address detection: nobody else is on this link, and the address is usable at once.
  message.body.setUint8(2, abi.IFA_F_NODAD);
  message.body.setUint32(4, indexOf(name), true);
  message.attribute(abi.IFA_LOCAL, address);
  message.attribute(abi.IFA_ADDRESS, address);
  if (broadcast) message.attribute(abi.IFA_BROADCAST, broadcast);
  message.perform("RTM_NEWADDR", `interface ${name}`);
}

/** Sends a prefix out through an interface (`unicast`), or declares it to be this host's own (`local`). */
export function addRoute(
  kind: "unicast" | "local",
  network: Uint8Array,
  prefixBits: number,
  name: string,
): void {
  const local = kind === "local";
  // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type (u8 each), flags u32
  const message = new Message(abi.RTM_NEWROUTE, abi.NLM_F_CREATE | abi.NLM_F_EXCL, 12);
  message.body.setUint8(0, familyOf(network));
  message.body.setUint8(1, prefixBits);
  message.body.setUint8(4, local ? abi.RT_TABLE_LOCAL : abi.RT_TABLE_MAIN);
  message.body.setUint8(5, abi.RTPROT_STATIC);
  message.body.setUint8(6, local ? abi.RT_SCOPE_HOST : abi.RT_SCOPE_LINK);
  message.body.setUint8(7, local ? abi.RTN_LOCAL : abi.RTN_UNICAST);
  message.attribute(abi.RTA_DST, network);
  message.attribute(abi.RTA_OIF, u32(indexOf(name)));
  message.perform("RTM_NEWROUTE", `interface ${name}`);
}

/** One request: a header, a fixed body, then attributes, each padded to 4 bytes. */
class Message {
  readonly body: DataView;
  #lengthBytes: number;

  constructor(type: number, flags: number, bodyBytes: number) {
    exchange.bytes.fill(0);
    exchange.view.setUint16(4, type, true);
    exchange.view.setUint16(6, abi.NLM_F_REQUEST | abi.NLM_F_ACK | flags, true);
    const { buffer, byteOffset } = exchange.bytes;
    this.body = new DataView(buffer, byteOffset + headerBytes, bodyBytes);
    this.#lengthBytes = headerBytes + bodyBytes;
  }

  attribute(type: number, value: Uint8Array): void {
    exchange.view.setUint16(this.#lengthBytes, 4 + value.length, true);
    exchange.view.setUint16(this.#lengthBytes + 2, type, true);
    exchange.bytes.set(value, this.#lengthBytes + 4);
    this.#lengthBytes += (4 + value.length + 3) & ~3;
  }

  /** Sends the request and reads the kernel's answer, which it has ready at once (netlink_ack). */
  perform(call: string, subject: string): void {
    exchange.view.setUint32(0, this.#lengthBytes, true);
    const type = abi.SOCK_RAW | abi.SOCK_CLOEXEC;
    const fd = check(socket(abi.AF_NETLINK, type, 0), "socket", "rtnetlink") as Fd;
    try {
      check(send(fd, exchange.address, this.#lengthBytes, 0), call, subject);
      check(recv(fd, exchange.address, exchange.bytes.length, 0), call, subject);
    } finally {
      close(fd);
    }
    // struct nlmsgerr: error i32 (negative errno, 0 for an acknowledgment), then the request's header.
    const error = exchange.view.getInt32(headerBytes, true);
    if (exchange.view.getUint16(4, true) !== abi.NLMSG_ERROR || error !== 0)
      throw new SystemError(call, subject, -error);
  }
}

function familyOf(address: Uint8Array): number {
  return address.length === 4 ? abi.AF_INET : abi.AF_INET6;
}

function indexOf(name: string): number {
  const index = ifNameToIndex(name);
  // if_nametoindex(3) reports an error as 0.
  check(index === 0 ? -1 : index, "if_nametoindex", `interface ${name}`);
  return index;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
