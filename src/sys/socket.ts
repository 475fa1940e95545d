/**
 * TCP sockets of the pipe space: all non-blocking, all with `SO_REUSEPORT`, which lets a socket be
 * bound to an address and port on which another of ours listens or still has a connection
 * (inet_csk_bind_conflict in net/ipv4/inet_connection_sock.c). Results are plain numbers, a negative
 * one being a negated errno: a refused connection is an event here, not an exception.
 */
import type { Family, Fd, Port } from "../base/units.ts";
import * as abi from "./abi.ts";
import { descriptorLimit } from "./descriptors.ts";
import { check, EALREADY, EINPROGRESS, EMFILE } from "./errno.ts";
import * as libc from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/** The largest sockaddr is that of IPv6: 28 bytes. */
const sockaddr = allocateRegion(32);
const sockaddrLength = allocateRegion(4);
const option = allocateRegion(8);

/** An address in network byte order (4 or 16 bytes) and a port. */
export interface Endpoint {
  readonly address: Uint8Array;
  readonly port: Port;
}

/**
 * Descriptors that new connections leave free: for those that are being accepted, for files, for
 * children. Numbers are given out from the lowest, so a socket's own number tells how many are taken.
 */
const reservedDescriptors = 256;
let highestDescriptor = 0;

/** Whether `fd` reaches into the reserve. The limit is looked up again, as it may have been raised. */
function isBeyondLimit(fd: number): boolean {
  if (fd < highestDescriptor) return false;
  highestDescriptor = descriptorLimit() - reservedDescriptors;
  return fd >= highestDescriptor;
}

/** A non-blocking TCP socket bound to `local`, or a negated errno (EMFILE, EADDRINUSE, ...). */
export function boundSocket(family: Family, local: Endpoint): number {
  const type = abi.SOCK_STREAM | abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC;
  const fd = libc.socket(family === 4 ? abi.AF_INET : abi.AF_INET6, type, 0) as Fd;
  if (fd < 0) return -libc.errno();
  if (isBeyondLimit(fd)) {
    libc.close(fd);
    return -EMFILE;
  }
  setFlag(fd, abi.SOL_SOCKET, abi.SO_REUSEPORT);
  // The subnet is local by a route alone, which IPv4 takes for an address of ours and IPv6 does not.
  if (family === 6) setFlag(fd, abi.IPPROTO_IPV6, abi.IPV6_FREEBIND);
  // Bytes go on as they come, and Nagle was applied where they were first sent. Inherited by accept.
  setFlag(fd, abi.IPPROTO_TCP, abi.TCP_NODELAY);
  if (libc.bindSocket(fd, sockaddr.address, writeSockaddr(local)) < 0) return closedWithErrno(fd);
  return fd;
}

/** Makes a bound socket listen; throws if it cannot. */
export function listen(fd: Fd, backlog: number): void {
  check(libc.listen(fd, backlog), "listen", "a pipe's socket");
}

/**
 * Connects: 0 once the connection is up, or a negated errno, which is EINPROGRESS while there is no answer.
 * The second call asks how the first went (connect(2), EALREADY): what nothing but memory is between answers
 * during the call, but the kernel looks at that answer only as the call ends (release_sock in net/core/sock.c).
 */
export function connect(fd: Fd, remote: Endpoint): number {
  const lengthBytes = writeSockaddr(remote);
  if (libc.connect(fd, sockaddr.address, lengthBytes) === 0) return 0;
  if (libc.errno() !== EINPROGRESS) return -libc.errno();
  if (libc.connect(fd, sockaddr.address, lengthBytes) === 0) return 0;
  const error = libc.errno();
  return error === EALREADY ? -EINPROGRESS : -error;
}

/** Whether a connection attempt still waits for its answer. */
export function isConnecting(fd: Fd): boolean {
  sockaddrLength.view.setUint32(0, 1, true);
  const { address } = sockaddrLength;
  const at = option.address;
  check(libc.getsockopt(fd, abi.IPPROTO_TCP, abi.TCP_INFO, at, address), "getsockopt", "a socket");
  // struct tcp_info begins with the state.
  return option.view.getUint8(0) === abi.TCP_SYN_SENT;
}

/** The errno with which a connection attempt or a connection failed, 0 for none; reading clears it. */
export function takeError(fd: Fd): number {
  sockaddrLength.view.setUint32(0, 4, true);
  const { address } = sockaddrLength;
  const at = option.address;
  check(libc.getsockopt(fd, abi.SOL_SOCKET, abi.SO_ERROR, at, address), "getsockopt", "a socket");
  return option.view.getInt32(0, true);
}

/** Where {@link accept} leaves the peer's port and address. Overwritten by the next call. */
export const acceptedPeer: {
  readonly port: Port;
  readonly bytes: Uint8Array;
  addressAt(family: Family): number;
} = {
  get port(): Port {
    return sockaddr.view.getUint16(2) as Port;
  },
  /** The memory and offset of the address: 4 bytes on IPv4, 16 on IPv6. */
  bytes: sockaddr.bytes,
  addressAt: (family) => (family === 4 ? 4 : 8),
};

/** Accepts one connection, non-blocking; the peer is then in {@link acceptedPeer}. Or a negated errno. */
export function accept(listener: Fd): number {
  sockaddrLength.view.setUint32(0, sockaddr.bytes.length, true);
  const flags = abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC;
  const fd = libc.accept4(listener, sockaddr.address, sockaddrLength.address, flags);
  return fd < 0 ? -libc.errno() : fd;
}

/** Closes a connection with a reset instead of a FIN: `SO_LINGER` with a time of 0, see socket(7). */
export function closeWithReset(fd: Fd): void {
  option.view.setInt32(0, 1, true);
  option.view.setInt32(4, 0, true);
  libc.setsockopt(fd, abi.SOL_SOCKET, abi.SO_LINGER, option.address, 8);
  libc.close(fd);
}

/** How many bytes the kernel holds for this connection that it has not sent for the first time. */
export function unsentBytes(fd: Fd): number {
  return libc.ioctl(fd, abi.SIOCOUTQNSD, option.address) < 0 ? 0 : option.view.getInt32(0, true);
}

/**
 * Has the kernel take so many bytes at least that were not acknowledged, where it would otherwise find the
 * limit by itself. Not beyond what it can count; without the right to do so, up to net.core.wmem_max.
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
  return -error;
}
