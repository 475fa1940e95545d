/**
 * Blocking IPv4 sockets for the echo programs. Node's own sockets would add a turn of the event
 * loop to every exchange, at both ends; here a message costs only its system calls.
 */
import type { Address, Fd } from "../src/base/units.ts";
import * as abi from "../src/sys/abi.ts";
import { check } from "../src/sys/errno.ts";
import * as libc from "../src/sys/libc.ts";
import { allocateRegion } from "../src/sys/memory.ts";

/** The message that goes back and forth. */
const messageBytes = 64;

const message = allocateRegion(messageBytes);
const sockaddr = allocateRegion(16);
const option = allocateRegion(4);
const nowhere = 0 as Address;

export function connectTo(address: string, port: number): Fd {
  const fd = openSocket();
  check(libc.connect(fd, writeSockaddr(address, port), 16), "connect", `${address}:${port}`);
  return fd;
}

export function listenOn(port: number): Fd {
  const fd = openSocket();
  check(libc.bindSocket(fd, writeSockaddr("0.0.0.0", port), 16), "bind", `port ${port}`);
  check(libc.listen(fd, 128), "listen", `port ${port}`);
  return fd;
}

export function acceptFrom(listener: Fd): Fd {
  const fd = libc.accept4(listener, nowhere, nowhere, abi.SOCK_CLOEXEC);
  return check(fd, "accept4", "a connection") as Fd;
}

export function sendMessage(fd: Fd): void {
  const sent = libc.send(fd, message.address, messageBytes, abi.MSG_NOSIGNAL);
  check(sent, "send", "a message");
}

/** Waits for a whole message. Returns false if the other end closes instead. */
export function receiveMessage(fd: Fd): boolean {
  for (let got = 0; got < messageBytes;) {
    const at = (message.address + got) as Address;
    const count = check(libc.recv(fd, at, messageBytes - got, 0), "recv", "a message");
    if (count === 0) return false;
    got += count;
  }
  return true;
}

/** Sends a message and waits for the answer. */
export function exchangeMessage(fd: Fd): void {
  sendMessage(fd);
  if (!receiveMessage(fd)) throw new Error("the server closed the connection");
}

export function closeSocket(fd: Fd): void {
  libc.close(fd);
}

function openSocket(): Fd {
  const type = abi.SOCK_STREAM | abi.SOCK_CLOEXEC;
  const fd = check(libc.socket(abi.AF_INET, type, 0), "socket", "an echo program") as Fd;
  option.view.setInt32(0, 1, true);
  const { address } = option;
  const result = libc.setsockopt(fd, abi.IPPROTO_TCP, abi.TCP_NODELAY, address, 4);
  check(result, "setsockopt", "an echo program's socket");
  return fd;
}

/** Fills in a sockaddr_in and returns its address. */
function writeSockaddr(address: string, port: number): Address {
  sockaddr.view.setUint16(0, abi.AF_INET, true);
  sockaddr.view.setUint16(2, port);
  sockaddr.bytes.set(address.split(".").map(Number), 4);
  return sockaddr.address;
}
