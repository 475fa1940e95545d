/**
 * TCP sockets of the pipe space. All are non-blocking. All have `SO_REUSEPORT`, so that a socket
 * can bind to an address and port on which another of ours listens or still has a connection
 * (inet_csk_bind_conflict in net/ipv4/inet_connection_sock.c). A failure is a result with an errno,
 * because a refused connection is an event here, not an exception.
 */
import type { Family, Fd, Port } from "../base/units.ts";
import * as abi from "./abi.ts";
import { descriptorLimit } from "./descriptors.ts";
import { check, ECONNRESET, EINPROGRESS, EMFILE, EPIPE, SystemError } from "./errno.ts";
import * as libc from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/** The largest sockaddr is that of IPv6: 28 bytes. */
const sockaddr = allocateRegion(32);
const sockaddrLength = allocateRegion(4);
const option = allocateRegion(8);

/** A descriptor, which the receiver closes; or the errno that says why there is none. */
export type Opened = { readonly fd: Fd } | { readonly fd: undefined; readonly errorNumber: number };

/** The outcome of {@link connect}. */
export type Connecting =
  | { readonly state: "connected" }
  | { readonly state: "pending" }
  | { readonly state: "failed"; readonly errorNumber: number };

const connected: Connecting = { state: "connected" };
const pending: Connecting = { state: "pending" };

/** An address in network byte order (4 or 16 bytes) and a port. */
export interface Endpoint {
  readonly address: Uint8Array;
  readonly port: Port;
}

/**
 * Descriptors kept free for connections being accepted, files and children. The kernel assigns the
 * lowest free number, so a socket's own number shows how many are in use.
 */
const reservedDescriptors = 256;
let highestDescriptor = 0;

/** Whether `fd` is in the reserve. Rereads the limit first, as it may have been raised. */
function isBeyondLimit(fd: number): boolean {
  if (fd < highestDescriptor) return false;
  highestDescriptor = descriptorLimit() - reservedDescriptors;
  return fd >= highestDescriptor;
}

/** A non-blocking TCP socket bound to `local`. It may fail with EMFILE, EADDRINUSE and others. */
export function boundSocket(family: Family, local: Endpoint): Opened {
  const type = abi.SOCK_STREAM | abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC;
  const fd = libc.socket(family === 4 ? abi.AF_INET : abi.AF_INET6, type, 0) as Fd;
  if (fd < 0) return noSocket(libc.errno());
  if (isBeyondLimit(fd)) {
    libc.close(fd);
    return noSocket(EMFILE);
  }
  setFlag(fd, abi.SOL_SOCKET, abi.SO_REUSEPORT);
  // Only a route makes the subnet local. IPv4 accepts that as an address of ours; IPv6 does not.
  if (family === 6) setFlag(fd, abi.IPPROTO_IPV6, abi.IPV6_FREEBIND);
  // Relay bytes as they arrive: the original sender has already applied Nagle. accept inherits
  // this.
  setFlag(fd, abi.IPPROTO_TCP, abi.TCP_NODELAY);
  if (libc.bindSocket(fd, sockaddr.address, writeSockaddr(local)) < 0)
    return noSocket(closedWithErrno(fd));
  return { fd };
}

/**
 * A non-blocking TCP socket of the calling thread's network namespace, in which it stays whatever
 * thread uses it later. With a port, it is bound to that port at all addresses; IPv6 includes IPv4.
 * Throws if it cannot be.
 */
export function socketHere(family: Family, port?: Port): Fd {
  const type = abi.SOCK_STREAM | abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC;
  const fd = libc.socket(family === 4 ? abi.AF_INET : abi.AF_INET6, type, 0) as Fd;
  check(fd, "socket", "a connection in the run's network");
  if (port === undefined) return fd;
  setFlag(fd, abi.SOL_SOCKET, abi.SO_REUSEADDR);
  const local = { address: new Uint8Array(family === 4 ? 4 : 16), port };
  if (libc.bindSocket(fd, sockaddr.address, writeSockaddr(local)) === 0) return fd;
  throw new SystemError("bind", `port ${port}`, closedWithErrno(fd));
}

/** Makes a bound socket listen; throws if it cannot. */
export function listen(fd: Fd, backlog: number): void {
  check(libc.listen(fd, backlog), "listen", "a pipe's socket");
}

/**
 * Connects. The outcome is `pending` while there is no answer; for a failure, see {@link
 * wasConnected}. An in-memory peer answers before `connect` returns, but the kernel
 * processes that answer only as the call ends (release_sock in net/core/sock.c), so the state is
 * read afterwards. A second `connect` would return it as well, but drops received bytes if the peer
 * has reset already.
 */
export function connect(fd: Fd, remote: Endpoint): Connecting {
  if (libc.connect(fd, sockaddr.address, writeSockaddr(remote)) === 0) return connected;
  const errorNumber = libc.errno();
  if (errorNumber !== EINPROGRESS) return { state: "failed", errorNumber };
  if (isConnecting(fd)) return pending;
  if (stateOf(fd) !== abi.TCP_CLOSE) return connected;
  return { state: "failed", errorNumber: takeError(fd) };
}

/** Whether a connection attempt is still unanswered. */
export function isConnecting(fd: Fd): boolean {
  const state = stateOf(fd);
  return state === abi.TCP_SYN_SENT || state === abi.TCP_SYN_RECV;
}

/**
 * Whether this error of {@link connect} or {@link takeError} means that the peer accepted, and then
 * reset the connection. A refusal is ECONNREFUSED (tcp_reset in net/ipv4/tcp_input.c).
 */
export function wasConnected(error: number): boolean {
  return error === ECONNRESET || error === EPIPE;
}

function stateOf(fd: Fd): number {
  sockaddrLength.view.setUint32(0, 1, true);
  const { address } = sockaddrLength;
  const at = option.address;
  check(libc.getsockopt(fd, abi.IPPROTO_TCP, abi.TCP_INFO, at, address), "getsockopt", "a socket");
  // struct tcp_info begins with the state.
  return option.view.getUint8(0);
}

/** The pending error (errno) of a connection or an attempt, or 0. Reading clears it. */
export function takeError(fd: Fd): number {
  sockaddrLength.view.setUint32(0, 4, true);
  const { address } = sockaddrLength;
  const at = option.address;
  check(libc.getsockopt(fd, abi.SOL_SOCKET, abi.SO_ERROR, at, address), "getsockopt", "a socket");
  return option.view.getInt32(0, true);
}

/** The peer's port and address, as left by {@link accept}. The next call overwrites it. */
export const acceptedPeer: {
  readonly port: Port;
  readonly bytes: Uint8Array;
  addressAt(family: Family): number;
} = {
  get port(): Port {
    return sockaddr.view.getUint16(2) as Port;
  },
  /** The buffer that holds the address: 4 bytes on IPv4, 16 on IPv6. */
  bytes: sockaddr.bytes,
  addressAt: (family) => (family === 4 ? 4 : 8),
};

/** Accepts one connection; {@link acceptedPeer} then has its peer. EAGAIN: none is waiting. */
export function accept(listener: Fd): Opened {
  sockaddrLength.view.setUint32(0, sockaddr.bytes.length, true);
  const flags = abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC;
  const fd = libc.accept4(listener, sockaddr.address, sockaddrLength.address, flags);
  return fd < 0 ? noSocket(libc.errno()) : { fd: fd as Fd };
}

/**
 * Closes a connection with a reset instead of a FIN: `SO_LINGER` with a time of 0, see socket(7).
 */
export function closeWithReset(fd: Fd): void {
  option.view.setInt32(0, 1, true);
  option.view.setInt32(4, 0, true);
  libc.setsockopt(fd, abi.SOL_SOCKET, abi.SO_LINGER, option.address, 8);
  libc.close(fd);
}

/** The number of bytes that the kernel has not yet sent even once. */
export function unsentBytes(fd: Fd): number {
  return libc.ioctl(fd, abi.SIOCOUTQNSD, option.address) < 0 ? 0 : option.view.getInt32(0, true);
}

/**
 * Fixes the size of the send buffer, which the kernel otherwise tunes by itself. Without
 * CAP_NET_ADMIN the kernel limits it to net.core.wmem_max.
 */
export function setSendRoom(fd: Fd, lengthBytes: number): void {
  option.view.setInt32(0, lengthBytes, true);
  libc.setsockopt(fd, abi.SOL_SOCKET, abi.SO_SNDBUFFORCE, option.address, 4);
}

function setFlag(fd: Fd, level: number, name: number): void {
  option.view.setInt32(0, 1, true);
  check(libc.setsockopt(fd, level, name, option.address, 4), "setsockopt", "a pipe's socket");
}

/** Writes `endpoint` as a sockaddr_in or sockaddr_in6 and returns its length. */
function writeSockaddr({ address, port }: Endpoint): number {
  const { bytes, view } = sockaddr;
  bytes.fill(0);
  const v4 = address.length === 4;
  view.setUint16(0, v4 ? abi.AF_INET : abi.AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(address, v4 ? 4 : 8);
  return v4 ? 16 : 28;
}

function closedWithErrno(fd: Fd): number {
  const error = libc.errno();
  libc.close(fd);
  return error;
}

function noSocket(errorNumber: number): Opened {
  return { fd: undefined, errorNumber };
}
