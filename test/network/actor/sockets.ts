/**
 * Blocking sockets for the actors. Node's own would put an event loop between a process and its
 * system calls; here each call is made when the scenario says so, and what it says is what is
 * observed: "ok" or the name of an error. Nothing blocks for ever: after {@link patienceS} a call
 * fails with EAGAIN.
 */
import { createHash } from "node:crypto";
import { constants } from "node:os";
import type { Address, Family, Fd } from "../../../src/base/units.ts";
import { formatAddress, parseAddress } from "../../../src/net/address.ts";
import * as abi from "../../../src/sys/abi.ts";
import { check } from "../../../src/sys/errno.ts";
import * as libc from "../../../src/sys/libc.ts";
import { allocateRegion } from "../../../src/sys/memory.ts";
import * as more from "./abi.ts";
import { getpeername, getsockname, poll, sendto } from "./libc.ts";

const patienceS = 60;
const bufferBytes = 0x4_0000;

const incoming = allocateRegion(bufferBytes);
const outgoing = allocateRegion(bufferBytes);
const sockaddr = allocateRegion(32);
const number = allocateRegion(16);
const length = allocateRegion(4);

/** An address as text, and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** "ok", or the name of the error. */
export type Outcome = string;

/** What reading to the end gives: how many bytes, their hash, and "end" or the name of an error. */
export interface Rest {
  readonly bytes: number;
  readonly hash: string;
  readonly over: string;
}

/** Those that are open, in the order in which they were made. */
export const openSockets = new Set<Socket>();

export class Socket {
  readonly fd: Fd;
  readonly family: Family;

  private constructor(fd: Fd, family: Family) {
    this.fd = fd;
    this.family = family;
    openSockets.add(this);
  }

  static open(family: Family, nonBlocking = false): Socket {
    const domain = family === 4 ? abi.AF_INET : abi.AF_INET6;
    const type = abi.SOCK_STREAM | abi.SOCK_CLOEXEC | (nonBlocking ? abi.SOCK_NONBLOCK : 0);
    const fd = libc.socket(domain, type, 0);
    const socket = new Socket(check(fd, "socket", "an actor") as Fd, family);
    socket.#setPatience();
    return socket;
  }

  bind(local: Endpoint): Outcome {
    return outcome(libc.bindSocket(this.fd, sockaddr.address, this.#write(local)));
  }

  listen(backlog: number): Outcome {
    return outcome(libc.listen(this.fd, backlog));
  }

  connect(remote: Endpoint): Outcome {
    return outcome(libc.connect(this.fd, sockaddr.address, this.#write(remote)));
  }

  /** Waits for a connection. */
  accept(): Socket {
    const nowhere = 0 as Address;
    const fd = libc.accept4(this.fd, nowhere, nowhere, abi.SOCK_CLOEXEC);
    const accepted = new Socket(check(fd, "accept4", "an actor's listener") as Fd, this.family);
    accepted.#setPatience();
    return accepted;
  }

  /** Sends all of it. */
  send(data: string | Uint8Array, flags = 0): Outcome {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    for (let at = 0; at < bytes.length;) {
      const count = this.sendSome(bytes.subarray(at, at + bufferBytes), flags);
      if (typeof count === "string") return count;
      at += count;
    }
    return "ok";
  }

  /** Sends what the kernel takes at once. Returns how many bytes, or the name of an error. */
  sendSome(bytes: Uint8Array, flags = 0): number | string {
    outgoing.bytes.set(bytes);
    const all = flags | abi.MSG_NOSIGNAL;
    const count = libc.send(this.fd, outgoing.address, bytes.length, all);
    return count < 0 ? outcome(count) : count;
  }

  /** Connects by sending: TCP Fast Open. */
  sendOpening(data: string, remote: Endpoint): Outcome {
    const bytes = Buffer.from(data, "latin1");
    outgoing.bytes.set(bytes);
    const flags = more.MSG_FASTOPEN | abi.MSG_NOSIGNAL;
    const sockaddrBytes = this.#write(remote);
    const { address } = outgoing;
    const count = sendto(this.fd, address, bytes.length, flags, sockaddr.address, sockaddrBytes);
    return count === bytes.length ? "ok" : outcome(count);
  }

  /**
   * Waits for so many bytes. Returns them quoted, fewer if no more come; "end", or the name of an
   * error.
   */
  receive(lengthBytes: number, flags: number = more.MSG_WAITALL): string {
    const count = libc.recv(this.fd, incoming.address, lengthBytes, flags);
    if (count < 0) return outcome(count);
    if (count === 0) return "end";
    return JSON.stringify(Buffer.from(incoming.bytes.subarray(0, count)).toString("latin1"));
  }

  /** Takes what is there now. Returns how many bytes; 0 if there is nothing, or no more. */
  skip(): number {
    return Math.max(0, libc.recv(this.fd, incoming.address, bufferBytes, abi.MSG_DONTWAIT));
  }

  /** Reads to the end, or to an error; `lengthBytes` at most. */
  receiveRest(lengthBytes = Infinity): Rest {
    const hash = createHash("sha256");
    let bytes = 0;
    let over = "more";
    while (bytes < lengthBytes) {
      const most = Math.min(bufferBytes, lengthBytes - bytes);
      const count = libc.recv(this.fd, incoming.address, most, 0);
      if (count <= 0) {
        over = count === 0 ? "end" : outcome(count);
        break;
      }
      hash.update(incoming.bytes.subarray(0, count));
      bytes += count;
    }
    return { bytes, hash: hash.digest("hex").slice(0, 12), over };
  }

  /**
   * Waits for one of `events`. Returns the names of what is the case, "nothing" after `timeoutMs`.
   */
  poll(events: number, timeoutMs: number = patienceS * 1000): string {
    // struct pollfd { int fd; short events, revents; }
    number.view.setInt32(0, this.fd, true);
    number.view.setUint16(4, events, true);
    number.view.setUint16(6, 0, true);
    check(poll(number.address, 1, timeoutMs), "poll", "an actor's socket");
    const found = number.view.getUint16(6, true);
    const names = Object.entries(more.pollEvents).filter(([, bit]) => (found & bit) !== 0);
    return names.map(([name]) => name).join(" ") || "nothing";
  }

  shutdown(how: number = abi.SHUT_WR): Outcome {
    return outcome(libc.shutdown(this.fd, how));
  }

  close(): void {
    openSockets.delete(this);
    check(libc.close(this.fd), "close", "an actor's socket");
  }

  /** Closes with a RST, by SO_LINGER with a time of 0. */
  reset(): void {
    number.view.setInt32(0, 1, true);
    number.view.setInt32(4, 0, true);
    this.#setOption(abi.SOL_SOCKET, abi.SO_LINGER, number.address, 8);
    this.close();
  }

  set(level: number, name: number, value = 1): void {
    number.view.setInt32(0, value, true);
    this.#setOption(level, name, number.address, 4);
  }

  get(level: number, name: number): number {
    length.view.setUint32(0, 4, true);
    const result = libc.getsockopt(this.fd, level, name, number.address, length.address);
    check(result, "getsockopt", "an actor's socket");
    return number.view.getInt32(0, true);
  }

  /** The error that is pending, as SO_ERROR has it; that clears it. */
  takeError(): Outcome {
    const error = this.get(abi.SOL_SOCKET, abi.SO_ERROR);
    return error === 0 ? "ok" : nameOf(error);
  }

  /** Whether what is read next is at the urgent mark. */
  isAtMark(): boolean {
    check(libc.ioctl(this.fd, more.SIOCATMARK, number.address), "ioctl SIOCATMARK", "a socket");
    return number.view.getInt32(0, true) === 1;
  }

  /**
   * Drops every packet that arrives for this socket, as a firewall would: a filter that keeps 0
   * bytes of it.
   */
  deafen(): void {
    // struct sock_filter { u16 code; u8 jt, jf; u32 k; } with code BPF_RET | BPF_K and k 0
    const filter = outgoing;
    filter.bytes.fill(0, 0, 8);
    filter.view.setUint16(0, 0x06, true);
    // struct sock_fprog { u16 len; struct sock_filter *filter; }
    number.bytes.fill(0, 0, 16);
    number.view.setUint16(0, 1, true);
    number.view.setBigUint64(8, BigInt(filter.address), true);
    this.#setOption(abi.SOL_SOCKET, more.SO_ATTACH_FILTER, number.address, 16);
  }

  /** Undoes {@link deafen}. */
  hear(): void {
    this.set(abi.SOL_SOCKET, more.SO_DETACH_FILTER);
  }

  localName(): Endpoint | string {
    return this.#name(getsockname);
  }

  remoteName(): Endpoint | string {
    return this.#name(getpeername);
  }

  #name(call: typeof getsockname): Endpoint | string {
    length.view.setUint32(0, sockaddr.bytes.length, true);
    const result = call(this.fd, sockaddr.address, length.address);
    if (result < 0) return outcome(result);
    const port = sockaddr.view.getUint16(2);
    const at = this.family === 4 ? 4 : 8;
    return { address: formatAddress(sockaddr.bytes, at, this.family), port };
  }

  /** Writes a sockaddr_in or sockaddr_in6 and returns its length. */
  #write({ address, port }: Endpoint): number {
    const { bytes, view } = sockaddr;
    bytes.fill(0);
    view.setUint16(0, this.family === 4 ? abi.AF_INET : abi.AF_INET6, true);
    view.setUint16(2, port);
    const parsed = parseAddress(address);
    if (!parsed) throw new Error(`${address} is an address`);
    bytes.set(parsed, this.family === 4 ? 4 : 8);
    return this.family === 4 ? 16 : 28;
  }

  #setPatience(): void {
    // struct timeval { i64 seconds, microseconds; }
    number.bytes.fill(0, 0, 16);
    number.view.setInt32(0, patienceS, true);
    for (const name of [more.SO_RCVTIMEO, more.SO_SNDTIMEO])
      this.#setOption(abi.SOL_SOCKET, name, number.address, 16);
  }

  #setOption(level: number, name: number, value: Address, lengthBytes: number): void {
    const result = libc.setsockopt(this.fd, level, name, value, lengthBytes);
    check(result, "setsockopt", "an actor's socket");
  }
}

function outcome(result: number): Outcome {
  return result < 0 ? nameOf(libc.errno()) : "ok";
}

/** Not Node's own names, which lack EINPROGRESS; of two names for one number, the first. */
function nameOf(error: number): Outcome {
  const found = Object.entries(constants.errno).find(([, code]) => code === error);
  return found?.[0] ?? `errno ${error}`;
}
