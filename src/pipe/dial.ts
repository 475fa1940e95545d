/**
 * A dial connects the server-side half of a pipe to the destination.
 *
 * Its socket is bound to the client's address, which is local in the pipe space, and to the
 * client's port, so the destination sees the true client. With `waitListenMs`, a dial retries a
 * refusal, so that clients need not sleep until their server is up.
 *
 * Each SYN of the client causes one try, and each try sends one SYN. If it stays unanswered, the
 * next try follows the client's next retransmission. Kernel retransmissions here would go on after
 * a client gave up, and a server that recovers late would accept a connection that no client wants.
 */
import { type Fd, hostOf } from "../base/units.ts";
import type { Subnet } from "../net/subnet.ts";
import { EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED } from "../sys/errno.ts";
import { close } from "../sys/libc.ts";
import type { Reactor } from "../sys/reactor.ts";
import * as socket from "../sys/socket.ts";
import type { Timer } from "../sys/timers.ts";
import type { Connection } from "./core/connection.ts";
import type { DialQueue, QueuedDial } from "./dial-queue.ts";
import { PipeSocket, type EndOwner, nobody } from "./pipe-socket.ts";

/** The owner of a dial. */
export interface DialHandler {
  /**
   * The destination accepted. The handler takes over `end`, whose `failed` is set if a reset
   * followed at once.
   */
  onConnected(dial: Dial, end: PipeSocket): void;
  /** The destination did not answer. The dial rests until {@link Dial.again}. */
  onSilent(dial: Dial): void;
  /** The attempt failed with this errno (ECONNREFUSED, EHOSTUNREACH, EMFILE, ...). */
  onFailed(dial: Dial, error: number): void;
  /** The client no longer asks for the connection. */
  onUnwanted(dial: Dial): void;
}

/**
 * How long a try waits for its answer without links: until shortly before the kernel would
 * retransmit the SYN (TCP_TIMEOUT_INIT, one second).
 */
const defaultAnswerMs = 900;

/** After this time plus the links' delay, an unanswered SYN counts as dropped. */
const droppedMs = 5;
/**
 * The pause before a port pair in use is retried: its first length, its growth factor and its
 * maximum.
 */
const retryMs = { first: 2, factor: 1.5, longest: 50 } as const;

/** The parameters of a dial. */
export interface DialOptions {
  readonly subnet: Subnet;
  readonly connection: Connection;
  /** The dials to the same port. */
  readonly queue: DialQueue;
  /** Whether the client still wants the connection, as far as is known. */
  readonly isWanted: () => boolean;
  /** How long a refusal is retried. */
  readonly waitListenMs: number;
  /** Whether the destination container has no process left that could listen. */
  readonly isServerGone?: () => boolean;
  /**
   * How long a try waits for its answer without links.
   *
   * @default 900, just under the kernel's first retransmission
   */
  readonly answerMs?: number;
  /** The delay that this run's links add to an answer. */
  readonly linkMs: number;
  /**
   * Whether the destination's port accepts connections in the other address family. Then a refusal
   * is final: a client that tries IPv6 first must not wait for a server that only has IPv4.
   */
  readonly isServedInOtherFamily: (connection: Connection) => boolean;
  /** Whether the destination drops SYNs because the port's backlog is full. */
  readonly isBacklogFull: (connection: Connection) => boolean;
}

export class Dial implements EndOwner, QueuedDial {
  readonly place: number;
  readonly #reactor: Reactor;
  readonly #options: DialOptions;
  readonly #handler: DialHandler;
  readonly #startedMs: number;
  #end: PipeSocket | undefined;
  #timer: Timer | undefined;
  #pauseMs: number = retryMs.first;
  #triedMs = -Infinity;
  /** The last SYN got no answer in time. */
  #isSilent = false;
  /** The other family already served the port before the current try. */
  #isServedElsewhere = false;

  /** Creates an idle dial; {@link start} starts it. */
  constructor(reactor: Reactor, options: DialOptions, handler: DialHandler) {
    this.#reactor = reactor;
    this.#options = options;
    this.#handler = handler;
    this.#startedMs = reactor.nowMs;
    this.place = options.queue.takePlace();
  }

  /**
   * Starts to connect. Call it once. If the destination accepts at once, as it does over the
   * shortcut, this returns the socket, which is not watched yet, and does not call the handler.
   */
  start(): Fd | undefined {
    const { queue } = this.#options;
    queue.retryBefore(this);
    if (queue.isFree) return this.#accepted(this.#try());
    queue.wait(this);
    return undefined;
  }

  /** The client retransmitted its SYN: tries once more if the destination has not answered. */
  again(): void {
    if (!this.#isSilent && !this.#end) return;
    const { queue } = this.#options;
    queue.retryBefore(this);
    if (queue.isFree) this.retry();
    else queue.wait(this);
  }

  retry(): boolean {
    const { linkMs } = this.#options;
    if (this.#end) {
      if (!socket.isConnecting(this.#end.fd)) return true;
      if (this.#reactor.nowMs - this.#triedMs < droppedMs + linkMs) return false;
      this.#takeEnd()?.close();
    }
    this.#retryIfWanted();
    return this.#end === undefined;
  }

  isBacklogFull(): boolean {
    return this.#options.isBacklogFull(this.#options.connection);
  }

  rest(): void {
    const { answerMs = defaultAnswerMs, linkMs } = this.#options;
    this.#isSilent = true;
    this.#timer = this.#reactor.after(answerMs + linkMs, () => this.#handler.onSilent(this));
  }

  /** Gives up without calling the handler again. A connection that was just made is reset. */
  cancel(): void {
    this.#options.queue.remove(this);
    this.#isSilent = false;
    this.#takeEnd()?.reset();
  }

  onEndReady(end: PipeSocket): void {
    if (!end.failed && !end.connected) return;
    const error = end.failed ? socket.takeError(end.fd) : 0;
    this.#takeEnd();
    if (error === 0 || socket.wasConnected(error)) {
      this.#options.queue.accepted(this);
      return this.#handler.onConnected(this, end);
    }
    end.close();
    this.#failed(error);
  }

  /** Detaches the socket, after an answer or in place of one. */
  #takeEnd(): PipeSocket | undefined {
    const end = this.#end;
    this.#end = undefined;
    if (this.#timer) this.#reactor.cancel(this.#timer);
    this.#timer = undefined;
    return end;
  }

  #giveUpSyn(): void {
    // The answer may have arrived just now; its event follows. Otherwise `close` ends the try
    // silently.
    if (!this.#end || !socket.isConnecting(this.#end.fd)) return;
    this.#takeEnd()?.close();
    this.#isSilent = true;
    this.#handler.onSilent(this);
  }

  /**
   * A client gives up silently, and the server must not accept a connection that no client wants.
   */
  #retryIfWanted(): void {
    if (this.#options.isWanted()) return this.#tryLater();
    this.cancel();
    this.#handler.onUnwanted(this);
  }

  #tryLater(): void {
    const fd = this.#accepted(this.#try());
    if (fd !== undefined) this.#handler.onConnected(this, new PipeSocket(this.#reactor, fd, this));
  }

  /** Notes a success in the queue. Returns the socket unchanged. */
  #accepted(fd: Fd | undefined): Fd | undefined {
    if (fd !== undefined) this.#options.queue.accepted(this);
    return fd;
  }

  /** Sends one SYN. Returns the socket if the destination has already accepted. */
  #try(): Fd | undefined {
    if (this.#timer) this.#reactor.cancel(this.#timer);
    this.#timer = undefined;
    this.#isSilent = false;
    this.#triedMs = this.#reactor.nowMs;
    const { subnet, connection, linkMs, queue, answerMs = defaultAnswerMs } = this.#options;
    const { family, client, clientPort, server, serverPort } = connection;
    const address = subnet.addressBytes(hostOf(client));
    const opened = socket.boundSocket(family, { address, port: clientPort });
    if (opened.fd === undefined) return this.#failed(opened.errorNumber);
    const { fd } = opened;
    const remote = subnet.addressBytes(hostOf(server));
    const answer = socket.connect(fd, { address: remote, port: serverPort });
    if (answer.state === "connected") return fd;
    if (answer.state === "pending") {
      this.#end = new PipeSocket(this.#reactor, fd, this);
      queue.waitForAnswer(this, linkMs);
      this.#timer = this.#reactor.after(answerMs + linkMs, () => this.#giveUpSyn());
      return undefined;
    }
    if (socket.wasConnected(answer.errorNumber)) return this.#connectedAndReset(fd);
    close(fd);
    return this.#failed(answer.errorNumber);
  }

  /**
   * The destination has already accepted and reset the connection. Its bytes are still readable.
   */
  #connectedAndReset(fd: Fd): undefined {
    const end = new PipeSocket(this.#reactor, fd, nobody);
    end.failed = true;
    this.#end = end;
    this.#options.queue.accepted(this);
    this.#timer = this.#reactor.after(0, () => {
      this.#takeEnd();
      this.#handler.onConnected(this, end);
    });
  }

  #failed(error: number): undefined {
    this.#options.queue.remove(this);
    if (error === EADDRNOTAVAIL || error === EADDRINUSE) this.#waitForPortPair();
    else if (error !== ECONNREFUSED || !this.#waitForListener()) {
      // Deferred, because the caller of the first try may be in the middle of its own work.
      this.#timer = this.#reactor.after(0, () => this.#handler.onFailed(this, error));
    }
  }

  /**
   * An earlier connection with the same ports has not ended in the pipe space: its receiver is
   * slow, or it is in TIME_WAIT. The client has already closed its side, so the port pair becomes
   * free. The client's SYN is held until then, unless the client gives up first.
   */
  #waitForPortPair(): void {
    this.#timer = this.#reactor.after(this.#pauseMs, () => this.#retryIfWanted());
    this.#pauseMs = Math.min(retryMs.longest, this.#pauseMs * retryMs.factor);
  }

  /** Waits for a listener if a refusal is not final. Returns whether the dial waits. */
  #waitForListener(): boolean {
    const { waitListenMs, connection, isServedInOtherFamily, queue } = this.#options;
    if (this.#options.isServerGone?.() === true) return false;
    // A server that started just after the refusal may serve both families. So the dial tries once
    // more, and a refusal is final only if the other family was served before that try.
    if (this.#isServedElsewhere) return false;
    this.#isServedElsewhere = waitListenMs > 0 && isServedInOtherFamily(connection);
    if (this.#reactor.nowMs + queue.pauseMs > this.#startedMs + waitListenMs) return false;
    queue.waitForListener(this, this.#isServedElsewhere);
    return true;
  }
}
