/**
 * rtnetlink(7) requests and their answers, in the calling thread's network namespace. Requests are
 * few and small, so each is built from scratch, for clarity.
 */
import type { Fd } from "../base/units.ts";
import * as abi from "./abi.ts";
import { check, SystemError } from "./errno.ts";
import { close, ifNameToIndex, recv, send, socket } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

const exchange = allocateRegion(4096);
/** `struct nlmsghdr`: length u32, type u16, flags u16, sequence u32, port u32. */
const headerBytes = 16;

/**
 * A request: a header, a fixed body, and attributes padded to 4 bytes each. All requests share one
 * buffer, so finish one before you build the next.
 */
export class Request {
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
    const at = this.#lengthBytes;
    exchange.view.setUint16(at, 4 + value.length, true);
    exchange.view.setUint16(at + 2, type, true);
    exchange.bytes.set(value, at + 4);
    this.#lengthBytes += (4 + value.length + 3) & ~3;
  }

  /**
   * Adds an attribute with the content that `fill` adds: attributes, or bytes by {@link append}.
   */
  nest(type: number, fill: () => void): void {
    const at = this.#lengthBytes;
    this.#lengthBytes += 4;
    fill();
    exchange.view.setUint16(at, this.#lengthBytes - at, true);
    exchange.view.setUint16(at + 2, type, true);
  }

  /** Adds bytes outside any attribute: the fixed part at the start of a nest. */
  append(bytes: Uint8Array): void {
    exchange.bytes.set(bytes, this.#lengthBytes);
    this.#lengthBytes += (bytes.length + 3) & ~3;
  }

  /**
   * Sends the request and reads the kernel's answers up to the acknowledgment (netlink_ack), which
   * is available at once. Any data before the acknowledgment is ignored. Throws a {@link
   * SystemError} if the kernel refuses the request.
   */
  perform(call: string, subject: string): void {
    exchange.view.setUint32(0, this.#lengthBytes, true);
    const type = abi.SOCK_RAW | abi.SOCK_CLOEXEC;
    const fd = check(socket(abi.AF_NETLINK, type, 0), "socket", "rtnetlink") as Fd;
    try {
      check(send(fd, exchange.address, this.#lengthBytes, 0), call, subject);
      do check(recv(fd, exchange.address, exchange.bytes.length, 0), call, subject);
      while (exchange.view.getUint16(4, true) !== abi.NLMSG_ERROR);
    } finally {
      close(fd);
    }
    // struct nlmsgerr: error i32 (negative errno, 0 for an acknowledgment), then the request's
    // header.
    const error = exchange.view.getInt32(headerBytes, true);
    if (error !== 0) throw new SystemError(call, subject, -error);
  }
}

/** The index of an interface in this namespace; throws if there is no such interface. */
export function indexOf(name: string): number {
  const index = ifNameToIndex(name);
  // if_nametoindex(3) reports an error as 0.
  check(index === 0 ? -1 : index, "if_nametoindex", `interface ${name}`);
  return index;
}

export function familyOf(address: Uint8Array): number {
  return address.length === 4 ? abi.AF_INET : abi.AF_INET6;
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A zero-terminated name. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}
