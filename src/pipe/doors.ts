/**
 * Doors: the listening sockets of the pipe space.
 *
 * The door for container B's port 80 is bound to B's address, which is local in the pipe space. A
 * SYN for B that is let in reaches it, and the accepted socket has B's port on this side and the
 * true client on the other. The first connection to a port opens its door.
 */
import type { ContainerIndex } from "../base/ids.ts";
import { type Family, type Fd, type Port, hostOf } from "../base/units.ts";
import { type Subnet, subnetFor } from "../net/subnet.ts";
import { EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, SystemError } from "../sys/errno.ts";
import { close } from "../sys/libc.ts";
import type { Reactor, Watcher } from "../sys/reactor.ts";
import * as socket from "../sys/socket.ts";
import type { Connection } from "./core/connection.ts";

/** Takes over the socket of an accepted connection. */
export type OnAccepted = (connection: Connection, fd: Fd) => void;

/**
 * The kernel limits this to the pipe space's `net.core.somaxconn`, which the sandbox sets as high.
 */
const backlog = 65_535;
const acceptRetryMs = 50;
/**
 * Errors of a single connection that ended before it was accepted (accept(2), "Error handling").
 */
const passing: ReadonlySet<number> = new Set([EAGAIN, ECONNABORTED, EINTR]);

/** A door, or the errno that says why there is none. */
export type Opening =
  | { readonly door: Door }
  | { readonly door: undefined; readonly errorNumber: number };

export class Doors {
  readonly #reactor: Reactor;
  readonly #subnets: readonly Subnet[];
  readonly #onAccepted: OnAccepted;
  readonly #doors = new Map<string, Door>();

  constructor(reactor: Reactor, subnets: readonly Subnet[], onAccepted: OnAccepted) {
    this.#reactor = reactor;
    this.#subnets = subnets;
    this.#onAccepted = onAccepted;
  }

  /**
   * Ensures that connections to this port of this container are accepted. Returns the door, or the
   * errno that says why there is none.
   */
  open(family: Family, server: ContainerIndex, port: Port): Opening {
    const key = keyOf(family, server, port);
    const known = this.#doors.get(key);
    if (known) return { door: known };
    const subnet = subnetFor(this.#subnets, family);
    const address = subnet.addressBytes(hostOf(server));
    const opened = socket.boundSocket(family, { address, port });
    if (opened.fd === undefined) return { door: undefined, errorNumber: opened.errorNumber };
    socket.listen(opened.fd, backlog);
    const door = new Door(this.#reactor, opened.fd, subnet, server, port, this.#onAccepted);
    this.#doors.set(key, door);
    return { door };
  }

  /** Accepts the connections that wait at this port of this container. */
  acceptWaiting(family: Family, server: ContainerIndex, port: Port): void {
    const door = this.#doors.get(keyOf(family, server, port));
    while (door?.acceptOne());
  }

  close(): void {
    for (const door of this.#doors.values()) door.close();
    this.#doors.clear();
  }
}

function keyOf(family: Family, server: ContainerIndex, port: Port): string {
  return `${family}/${server}:${port}`;
}

/** One listening socket. */
export class Door implements Watcher {
  readonly #reactor: Reactor;
  readonly #fd: Fd;
  readonly #subnet: Subnet;
  readonly #server: ContainerIndex;
  readonly #port: Port;
  readonly #onAccepted: OnAccepted;
  #open = true;

  constructor(
    reactor: Reactor,
    fd: Fd,
    subnet: Subnet,
    server: ContainerIndex,
    port: Port,
    onAccepted: OnAccepted,
  ) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#subnet = subnet;
    this.#server = server;
    this.#port = port;
    this.#onAccepted = onAccepted;
    reactor.watchLevel(fd, this);
  }

  /**
   * Accepts one connection, if one is waiting. There is rarely a second; the next round reports it.
   */
  onReady(): void {
    this.acceptOne();
  }

  /** Returns whether one was waiting. */
  acceptOne(): boolean {
    const accepted = socket.accept(this.#fd);
    if (accepted.fd !== undefined) {
      this.#onAccepted(this.#accepted(), accepted.fd);
      return true;
    }
    const { errorNumber } = accepted;
    if (errorNumber === EMFILE || errorNumber === ENFILE) this.#pause();
    else if (!passing.has(errorNumber))
      throw new SystemError("accept", "a pipe's socket", errorNumber);
    return false;
  }

  /** Descriptors have run out: connections stay in the backlog until one may be free. */
  #pause(): void {
    this.#reactor.unwatch(this.#fd);
    this.#reactor.after(acceptRetryMs, () => {
      if (this.#open) this.#reactor.watchLevel(this.#fd, this);
    });
  }

  close(): void {
    this.#open = false;
    this.#reactor.forget(this.#fd);
    close(this.#fd);
  }

  #accepted(): Connection {
    const subnet = this.#subnet;
    const { family } = subnet;
    const { acceptedPeer: peer } = socket;
    const client = subnet.hostNumberAt(peer.bytes, peer.addressAt(family)) - 1;
    return { family, client, clientPort: peer.port, server: this.#server, serverPort: this.#port };
  }
}
