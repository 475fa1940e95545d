/**
 * One end of a pipe: a kernel socket of the pipe space whose other side is a process in a container.
 *
 * It is edge-triggered, so it remembers: `readable` until a read found nothing, `failed` once the
 * connection broke. Bytes that the kernel does not take now are copied into a backlog, and as long as
 * there is one its owner sends nothing more; that is the only copy, and the whole of back-pressure.
 */
import { assert } from "../base/assert.ts";
import type { Address, Fd } from "../base/units.ts";
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  MSG_NOSIGNAL,
  SHUT_WR,
} from "../sys/abi.ts";
import { EAGAIN } from "../sys/errno.ts";
import { close, errno, send, shutdown } from "../sys/libc.ts";
import { allocateRegion, type Region } from "../sys/memory.ts";
import { mostPieces, type Pieces } from "../sys/pieces.ts";
import type { Reactor, Task, Watcher } from "../sys/reactor.ts";
import { closeWithReset, unsentBytes } from "../sys/socket.ts";
import type { StarvingThreads } from "../sys/threads.ts";

/** Who is told when something can go on at an end. */
export interface EndOwner {
  /** There may be bytes to read, room to write, or the connection failed. */
  onEndReady(end: PipeSocket): void;
}

/** Owns an end that has no partner yet: it only remembers what came up. */
export const nobody: EndOwner = { onEndReady: () => {} };

/** How long a reset waits for what was sent before it, and how often it looks. */
const resetGraceMs = 2000;
const resetLookMs = 2;

/**
 * How long a client counts as new, whose `connect` may not have returned; how often such a client is
 * looked at before it is reset; and how many times at most. Looks are counted rather than time, because
 * the engine may have to wait for a processor just like the client.
 */
const newClient = { ageMs: 1000, lookMs: 0.5, mostLooks: 2000 } as const;

/** Returned by {@link PipeSocket.receive} when there is nothing to read now. */
export const nothingYet: number = -EAGAIN;

/** A client that was accepted. */
interface NewClient {
  readonly watchThreads: () => StarvingThreads;
  readonly acceptedMs: number;
  /** Since it was first to be reset. */
  threads: StarvingThreads | undefined;
  looks: number;
}

export class PipeSocket implements Watcher, Task {
  readonly fd: Fd;
  owner: EndOwner;
  /** Reading may find something: bytes, the end, or an error. */
  readable = false;
  /** The last receiving took all that there was room for: more is likely to wait. */
  floods = false;
  /** The connection is up, and was not closed from here. */
  connected = false;
  /** The kernel reported an error: the other side reset the connection, or it could not be made. */
  failed = false;
  readonly #reactor: Reactor;
  #sawEnd = false;
  /** Of an accepted end, while its client is new. */
  #newClient: NewClient | undefined;
  #backlog: Region | undefined;
  #backlogAt = 0;
  #backlogEnd = 0;

  /** Takes over `fd`: the end closes it. */
  constructor(reactor: Reactor, fd: Fd, owner: EndOwner) {
    this.#reactor = reactor;
    this.fd = fd;
    this.owner = owner;
    reactor.watch(fd, this);
  }

  /**
   * An end whose client has just been accepted. Takes over `fd`. A reset that arrives before the client's
   * `connect` returns makes that fail with ECONNRESET. On a plain network it returns first: the answer
   * to a SYN is there before the client goes to sleep, and the server has yet to be scheduled. Here the
   * client does sleep. The kernel made its thread ready to run before we accepted it, so a reset waits
   * until no thread of its container is ready and does not run: `watchThreads`.
   */
  static accepted(
    reactor: Reactor,
    fd: Fd,
    owner: EndOwner,
    watchThreads: () => StarvingThreads,
  ): PipeSocket {
    const end = new PipeSocket(reactor, fd, owner);
    const acceptedMs = reactor.nowMs;
    end.#newClient = { watchThreads, acceptedMs, threads: undefined, looks: 0 };
    return end;
  }

  /** Whether a reset may be sent now: 0, or in how many milliseconds to ask again. */
  askForReset(): number {
    const client = this.#newClient;
    if (!client) return 0;
    const isNew = client.looks > 0 || this.#reactor.nowMs - client.acceptedMs < newClient.ageMs;
    if (isNew && client.looks++ < newClient.mostLooks) {
      client.threads ??= client.watchThreads();
      if (client.threads.hasOne()) return newClient.lookMs;
    }
    this.#newClient = undefined;
    return 0;
  }

  onReady(events: number): void {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) this.readable = true;
    // A FIN that is here already makes no further edge: reading goes on until it is seen.
    if ((events & (EPOLLRDHUP | EPOLLHUP)) !== 0) this.#sawEnd = true;
    if ((events & EPOLLERR) !== 0) this.failed = true;
    else if ((events & EPOLLOUT) !== 0) this.connected = true;
    this.owner.onEndReady(this);
  }

  /**
   * Receives into `pieces`. Returns how many bytes, 0 at the end of the stream, {@link nothingYet}, or
   * another negated errno when the connection is broken.
   */
  receive(pieces: Pieces): number {
    const count = pieces.receive(this.fd);
    this.floods = count === pieces.capacityBytes;
    if (count > 0) {
      this.#newClient = undefined;
      // Less than asked for: the queue is empty, and what comes next makes an edge (epoll(7)).
      if (!this.floods && !this.#sawEnd) this.readable = false;
      return count;
    }
    if (count === 0) {
      this.readable = false;
      return 0;
    }
    const error = errno();
    if (error === EAGAIN) this.readable = false;
    return -error;
  }

  /**
   * Sends the first `lengthBytes` of `pieces`, or keeps what the kernel does not take. False if the connection
   * is broken. There must be no backlog.
   */
  send(pieces: Pieces, lengthBytes: number): boolean {
    assert(!this.hasBacklog(), "nothing is sent past a backlog");
    const sent = pieces.send(this.fd, lengthBytes);
    if (sent === lengthBytes) return true;
    if (sent < 0 && errno() !== EAGAIN) return false;
    this.#keep(pieces, Math.max(0, sent), lengthBytes);
    return true;
  }

  hasBacklog(): boolean {
    return this.#backlogAt < this.#backlogEnd;
  }

  /** Sends what it can of the backlog. False if the connection is broken. */
  flush(): boolean {
    const backlog = this.#backlog;
    if (!backlog || !this.hasBacklog()) return true;
    const address = (backlog.address + this.#backlogAt) as Address;
    const sent = send(this.fd, address, this.#backlogEnd - this.#backlogAt, MSG_NOSIGNAL);
    if (sent < 0) return errno() === EAGAIN;
    this.#backlogAt += sent;
    if (!this.hasBacklog()) spareBacklogs.give(backlog, this);
    return true;
  }

  /** Drops what was not sent. */
  dropBacklog(): void {
    this.#backlogAt = this.#backlogEnd;
  }

  /** How many bytes wait here or in the kernel to be sent for the first time. */
  waitingBytes(): number {
    return this.#backlogEnd - this.#backlogAt + unsentBytes(this.fd);
  }

  /** Says FIN: no more bytes will be sent. */
  shutdown(): void {
    shutdown(this.fd, SHUT_WR);
  }

  close(): void {
    this.#reactor.forget(this.fd);
    close(this.fd);
  }

  /** Closes when there is a moment for it: it takes the kernel as long as sending does. */
  closeWhenIdle(): void {
    this.#reactor.forget(this.fd);
    this.#reactor.whenIdle(this);
  }

  /** The moment has come. */
  resume(): void {
    close(this.fd);
  }

  reset(): void {
    this.#reactor.forget(this.fd);
    closeWithReset(this.fd);
  }

  /**
   * Resets the connection, but not before the bytes sent earlier are out: a reset drops what the kernel
   * still holds. The wait is limited, because a receiver that does not read would never see the reset.
   */
  resetOnceSent(whenReset: () => void, untilMs: number = this.#reactor.nowMs + resetGraceMs): void {
    const hasUnsent = this.flush() && this.waitingBytes() > 0 && this.#reactor.nowMs < untilMs;
    const holdMs = hasUnsent ? resetLookMs : this.askForReset();
    if (holdMs > 0) {
      this.#reactor.after(holdMs, () => this.resetOnceSent(whenReset, untilMs));
      return;
    }
    this.reset();
    whenReset();
  }

  /** Called by the pool when the backlog went back to it. */
  releaseBacklog(): void {
    this.#backlog = undefined;
    this.#backlogAt = 0;
    this.#backlogEnd = 0;
  }

  #keep(pieces: Pieces, from: number, to: number): void {
    this.#backlog ??= spareBacklogs.take();
    pieces.copyTo(this.#backlog.bytes, from, to);
    this.#backlogAt = 0;
    this.#backlogEnd = to - from;
  }
}

/**
 * Each backlog takes what can be received at once, and as much memory as was ever in it. A few are kept for the
 * next end that gets stuck.
 */
const spareBacklogs = {
  spare: [] as Region[],
  take(): Region {
    return this.spare.pop() ?? allocateRegion(mostPieces * 0x1_0000);
  },
  give(region: Region, from: PipeSocket): void {
    if (this.spare.length < 64) this.spare.push(region);
    from.releaseBacklog();
  },
};
