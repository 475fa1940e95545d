/**
 * The sockets of a network namespace, as the kernel describes them: sock_diag(7), which answers for
 * the namespace that the asking socket was made in.
 */
import type { Family, Fd, Port } from "../base/units.ts";
import * as abi from "./abi.ts";
import { ENOENT } from "./errno.ts";
import { close, recv, send, socket } from "./libc.ts";
import { allocateRegion } from "./memory.ts";
import { inNamespaces, type Namespace } from "./namespace.ts";
import type { Endpoint } from "./socket.ts";

const exchange = allocateRegion(1024);
/** What the kernel fills at once when it lists sockets. */
const dump = allocateRegion(0x8000);
const headerBytes = 16;
/**
 * `struct inet_diag_req_v2`: family, protocol, ext, pad (u8 each), states u32, then the socket's
 * id: ports u16 twice and addresses of 16 bytes twice, in network order, interface u32, cookie u32
 * twice.
 */
const requestBytes = headerBytes + 56;
/**
 * `struct inet_diag_msg`: family, state, timer, retrans (u8 each), the id, expires u32, then the
 * queues.
 */
const stateAt = headerBytes + 1;
const localPortAt = headerBytes + 4;
/** Where a request says which states it asks for, as bits. */
const statesAt = headerBytes + 4;
const receiveQueueAt = headerBytes + 4 + 48 + 4;
const sendQueueAt = receiveQueueAt + 4;

export class SocketDiagnosis {
  readonly #fd: number;

  /**
   * Asks about connections of `network`. Where the kernel cannot answer, everything counts as read.
   */
  constructor(network: Namespace) {
    const type = abi.SOCK_RAW | abi.SOCK_CLOEXEC;
    this.#fd = inNamespaces([network], () => socket(abi.AF_NETLINK, type, abi.NETLINK_SOCK_DIAG));
  }

  /** Whether the kernel answers at all. */
  get isAvailable(): boolean {
    return this.#fd >= 0;
  }

  /**
   * Bytes that arrived on the TCP connection between these ends and wait for the process at
   * `local`.
   */
  unreadBytes(family: Family, local: Endpoint, remote: Endpoint): number {
    const isThere = this.#ask(family, local, remote) === abi.SOCK_DIAG_BY_FAMILY;
    return isThere ? exchange.view.getUint32(receiveQueueAt, true) : 0;
  }

  /**
   * Bytes that wait in the UDP socket which gets datagrams from `remote` to `local`; undefined if
   * there is none, or the kernel cannot answer.
   */
  queuedBytes(family: Family, local: Endpoint, remote: Endpoint): number | undefined {
    // For UDP the kernel takes the two ends the other way round (udp_dump_one,
    // net/ipv4/udp_diag.c).
    const answer = this.#ask(family, remote, local, abi.IPPROTO_UDP);
    if (answer !== abi.SOCK_DIAG_BY_FAMILY) return undefined;
    return exchange.view.getUint32(receiveQueueAt, true);
  }

  /**
   * Whether a UDP socket gets datagrams from `remote` to `local`; undefined if the kernel cannot
   * answer.
   */
  isBound(family: Family, local: Endpoint, remote: Endpoint): boolean | undefined {
    const answer = this.#ask(family, remote, local, abi.IPPROTO_UDP);
    if (answer === abi.SOCK_DIAG_BY_FAMILY) return true;
    const isError = answer === abi.NLMSG_ERROR;
    return isError && exchange.view.getInt32(headerBytes, true) === -ENOENT ? false : undefined;
  }

  /** Whether a TCP socket listens at `local`, or at all addresses. */
  listens(family: Family, local: Endpoint): boolean {
    const nowhere = { address: new Uint8Array(local.address.length), port: 0 as Port };
    const isThere = this.#ask(family, local, nowhere) === abi.SOCK_DIAG_BY_FAMILY;
    return isThere && exchange.view.getUint8(stateAt) === abi.TCP_LISTEN;
  }

  /**
   * Whether a socket listens at `local`, or at all addresses, and drops SYNs because its backlog is
   * full (sk_acceptq_is_full in include/net/sock.h).
   */
  isBacklogFull(family: Family, local: Endpoint): boolean {
    if (!this.listens(family, local)) return false;
    const { view } = exchange;
    // A listener's queues are the length and the limit of its backlog (tcp_diag_get_info).
    return view.getUint32(receiveQueueAt, true) > view.getUint32(sendQueueAt, true);
  }

  /**
   * Whether a socket at `local` waits for the answer to its SYN to `remote`. False where the kernel
   * cannot answer, too.
   */
  isConnecting(family: Family, local: Endpoint, remote: Endpoint): boolean {
    const isThere = this.#ask(family, local, remote) === abi.SOCK_DIAG_BY_FAMILY;
    return isThere && exchange.view.getUint8(stateAt) === abi.TCP_SYN_SENT;
  }

  /** The TCP ports on which anybody listens. Empty where the kernel cannot answer. */
  listeningPorts(family: Family): Port[] {
    if (this.#fd < 0) return [];
    const nowhere = { address: new Uint8Array(16), port: 0 as Port };
    writeRequest(abi.IPPROTO_TCP, family, nowhere, nowhere);
    exchange.view.setUint16(6, abi.NLM_F_REQUEST | abi.NLM_F_DUMP, true);
    exchange.view.setUint32(statesAt, 1 << abi.TCP_LISTEN, true);
    if (send(this.#fd as Fd, exchange.address, requestBytes, 0) < 0) return [];
    const ports: Port[] = [];
    while (this.#takePorts(ports));
    return ports;
  }

  /** Reads one part of a dump; false behind the last one. */
  #takePorts(ports: Port[]): boolean {
    const { address, bytes, view } = dump;
    const length = recv(this.#fd as Fd, address, bytes.length, abi.MSG_DONTWAIT);
    for (let at = 0; at + headerBytes <= length;) {
      const messageBytes = view.getUint32(at, true);
      if (view.getUint16(at + 4, true) !== abi.SOCK_DIAG_BY_FAMILY) return false;
      ports.push(view.getUint16(at + localPortAt) as Port);
      at += Math.ceil(messageBytes / 4) * 4;
    }
    return length > 0;
  }

  /** The type of the kernel's answer: an error where it has no such socket, or cannot answer. */
  #ask(
    family: Family,
    local: Endpoint,
    remote: Endpoint,
    protocol: number = abi.IPPROTO_TCP,
  ): number | undefined {
    if (this.#fd < 0) return undefined;
    writeRequest(protocol, family, local, remote);
    const fd = this.#fd as Fd;
    if (send(fd, exchange.address, requestBytes, 0) < 0) return undefined;
    if (recv(fd, exchange.address, exchange.bytes.length, abi.MSG_DONTWAIT) < 0) return undefined;
    return exchange.view.getUint16(4, true);
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd as Fd);
  }
}

/** One {@link SocketDiagnosis} for each network that is asked about. */
export class SocketDiagnoses {
  readonly #networks: readonly (Namespace | undefined)[];
  /** By the network's place. */
  readonly #diagnoses = new Map<number, SocketDiagnosis>();

  constructor(networks: readonly (Namespace | undefined)[]) {
    this.#networks = networks;
  }

  of(place: number): SocketDiagnosis | undefined {
    const known = this.#diagnoses.get(place);
    const network = this.#networks[place];
    if (known || !network) return known;
    const diagnosis = new SocketDiagnosis(network);
    this.#diagnoses.set(place, diagnosis);
    return diagnosis;
  }

  close(): void {
    for (const diagnosis of this.#diagnoses.values()) diagnosis.close();
    this.#diagnoses.clear();
  }
}

function writeRequest(protocol: number, family: Family, local: Endpoint, remote: Endpoint): void {
  const { bytes, view } = exchange;
  bytes.fill(0, 0, requestBytes);
  view.setUint32(0, requestBytes, true);
  view.setUint16(4, abi.SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, abi.NLM_F_REQUEST, true);
  view.setUint8(headerBytes, family === 4 ? abi.AF_INET : abi.AF_INET6);
  view.setUint8(headerBytes + 1, protocol);
  // Any state; an exact id is looked for.
  view.setUint32(headerBytes + 4, 0xffff_ffff, true);
  const id = headerBytes + 8;
  view.setUint16(id, local.port);
  view.setUint16(id + 2, remote.port);
  bytes.set(local.address, id + 4);
  bytes.set(remote.address, id + 20);
  // INET_DIAG_NOCOOKIE: whichever socket it is.
  view.setUint32(id + 40, 0xffff_ffff, true);
  view.setUint32(id + 44, 0xffff_ffff, true);
}
