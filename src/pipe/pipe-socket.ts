/**
 * One end of a pipe: a kernel socket in the pipe space whose peer is a process in a container.
 *
 * The socket is watched edge-triggered, so this object keeps the state between edges: `readable`
 * until a read finds nothing, `failed` once the connection broke. Bytes that the kernel does not
 * take are copied into a backlog, and the owner sends nothing while a backlog exists. That is the
 * only copy on the data path, and the whole back-pressure mechanism.
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

/** The owner of an end, called when the end can make progress. */
export interface EndOwner {
  /** There may be bytes to read or room to write, or the connection failed. */
  onEndReady(end: PipeSocket): void;
}

/** Owns an end without a partner: the end only records its state. */
export const nobody: EndOwner = { onEndReady: () => {} };

/** How long a reset waits for earlier bytes to go out, and how often it checks. */
const resetGraceMs = 2000;
const resetLookMs = 2;

/**
 * While a client is new, its `connect` may not have returned. `ageMs` is how long a client counts
 * as new, `lookMs` the interval of the checks before it is reset, and `mostLooks` their maximum.
 * The limit counts checks rather than time, because the engine may wait for a processor just like
 * the client.
 */
const newClient = { ageMs: 1000, lookMs: 0.5, mostLooks: 2000 } as const;

/**
 * What {@link PipeSocket.receive} found: bytes, nothing to read now, the end of the stream, or a
 * connection that is broken.
 */
export type Received = "bytes" | "nothing" | "end" | "reset";

/** An accepted client that still counts as new. */
interface NewClient {
  readonly watchThreads: () => StarvingThreads;
  readonly acceptedMs: number;
  /** Set at the first request for a reset. */
  threads: StarvingThreads | undefined;
  looks: number;
}

export class PipeSocket implements Watcher, Task {
  readonly fd: Fd;
  owner: EndOwner;
  /** A read may find bytes, the end of the stream, or an error. */
  readable = false;
  /** The number of bytes that the last receive found. */
  receivedBytes = 0;
  /** The last receive filled its memory, so more bytes are probably waiting. */
  floods = false;
  /** The connection is established, and not closed from this side. */
  connected = false;
  /** The kernel reported an error: the peer reset the connection, or connecting failed. */
  failed = false;
  readonly #reactor: Reactor;
  #sawEnd = false;
  /** Set on an accepted end while its client is new. */
  #newClient: NewClient | undefined;
  #backlog: Region | undefined;
  #backlogAt = 0;
  #backlogEnd = 0;

  /** Takes over `fd` and closes it. */
  constructor(reactor: Reactor, fd: Fd, owner: EndOwner) {
    this.#reactor = reactor;
    this.fd = fd;
    this.owner = owner;
    reactor.watch(fd, this);
  }

  /**
   * Creates the end of a client that was just accepted. Takes over `fd`.
   *
   * A reset that arrives before the client's `connect` returns makes `connect` fail with
   * ECONNRESET. On a plain network, `connect` returns first: the SYN's answer is there before the
   * client goes to sleep, and the server has yet to be scheduled. Here the client does sleep. The
   * kernel made its thread runnable before the engine accepted the connection. So a reset waits
   * until no thread of the client's container is runnable without running, which `watchThreads`
   * observes.
   *
   * The end is readable from the start: a client that ran on another processor may have sent
   * already. Waiting for epoll to report this would read it after what the client sent later on
   * another connection, because that event came first.
   */
  static accepted(
    reactor: Reactor,
    fd: Fd,
    owner: EndOwner,
    watchThreads: () => StarvingThreads,
  ): PipeSocket {
    const end = new PipeSocket(reactor, fd, owner);
    end.readable = true;
    const acceptedMs = reactor.nowMs;
    end.#newClient = { watchThreads, acceptedMs, threads: undefined, looks: 0 };
    return end;
  }

  /**
   * Returns 0 if a reset may be sent now, else the delay before the next request, in milliseconds.
   */
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
    // A FIN that has already arrived makes no further edge: reading goes on until it is seen.
    if ((events & (EPOLLRDHUP | EPOLLHUP)) !== 0) this.#sawEnd = true;
    if ((events & EPOLLERR) !== 0) this.failed = true;
    else if ((events & EPOLLOUT) !== 0) this.connected = true;
    this.owner.onEndReady(this);
  }

  /** The process is done with the connection: reading goes on until its end is seen. */
  expectEnd(): void {
    this.readable = true;
    this.#sawEnd = true;
  }

  /**
   * Receives into `pieces`. If it finds bytes, {@link receivedBytes} is their number. A FIN counts
   * as a reset if the connection failed before.
   */
  receive(pieces: Pieces): Received {
    const count = pieces.receive(this.fd);
    this.receivedBytes = Math.max(0, count);
    this.floods = count === pieces.capacityBytes;
    if (count > 0) {
      this.#newClient = undefined;
      // A short read means that the queue is empty; new bytes make a new edge (epoll(7)).
      if (!this.floods && !this.#sawEnd) this.readable = false;
      return "bytes";
    }
    if (count === 0) {
      this.readable = false;
      return this.failed ? "reset" : "end";
    }
    if (errno() !== EAGAIN) return "reset";
    this.readable = false;
    return "nothing";
  }

  /**
   * Sends the first `lengthBytes` of `pieces`, and keeps the bytes that the kernel does not take.
   * Returns false if the connection is broken. There must be no backlog.
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

  /**
   * Sends as much of the backlog as the kernel takes. Returns false if the connection is broken.
   */
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

  /** Drops the unsent backlog. */
  dropBacklog(): void {
    this.#backlogAt = this.#backlogEnd;
  }

  /** The number of bytes in the backlog and in the kernel that were never sent. */
  waitingBytes(): number {
    return this.#backlogEnd - this.#backlogAt + unsentBytes(this.fd);
  }

  /** Sends a FIN: this side sends no more bytes. */
  shutdown(): void {
    shutdown(this.fd, SHUT_WR);
  }

  close(): void {
    this.#reactor.forget(this.fd);
    close(this.fd);
  }

  /** Closes when the engine is idle: `close` takes the kernel as long as a send does. */
  closeWhenIdle(): void {
    this.#reactor.forget(this.fd);
    this.#reactor.whenIdle(this);
  }

  /** The deferred part of {@link closeWhenIdle}. */
  resume(): void {
    close(this.fd);
  }

  reset(): void {
    this.#reactor.forget(this.fd);
    closeWithReset(this.fd);
  }

  /**
   * Resets the connection after the bytes sent earlier have gone out, because a reset drops the
   * bytes that the kernel still holds. The wait is limited, because a peer that does not read would
   * never see the reset.
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

  /** Called by the pool when it takes back the backlog's memory. */
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
 * A pool of backlogs. Each has room for the largest single receive. The pool keeps a few for the
 * next end that stalls.
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
