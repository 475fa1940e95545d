/**
 * A dial: the connecting half of a pipe on its way to the destination. Its socket is bound to the
 * client's address, which is local in the pipe space, and to the client's port, so that the destination sees
 * the true client. While nobody listens it may try again, so that a client need not sleep until its server is up.
 *
 * A try is one SYN, for one SYN of the client: where that is not answered, the next goes out when the
 * client sends its own again. Were the kernel to repeat it here, a client that has given up would still
 * have its SYN sent, and a server that comes to its senses would accept a connection that nobody wants.
 */
import { type Fd, hostOf } from "../base/units.ts";
import type { Subnet } from "../net/subnet.ts";
import { EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, EINPROGRESS } from "../sys/errno.ts";
import { close } from "../sys/libc.ts";
import type { Reactor } from "../sys/reactor.ts";
import * as socket from "../sys/socket.ts";
import type { Timer } from "../sys/timers.ts";
import type { Connection } from "./core/connection.ts";
import type { DialQueue, QueuedDial } from "./dial-queue.ts";
import { PipeSocket, type EndOwner, nobody } from "./pipe-socket.ts";

/** Who started the dial. */
export interface DialHandler {
  /** The destination accepted; `end` is handed over. It has `failed` if a reset followed at once. */
  onConnected(end: PipeSocket): void;
  /** The destination did not answer. Nothing happens until {@link Dial.again}. */
  onSilent(): void;
  /** The attempt failed with this errno (ECONNREFUSED, EHOSTUNREACH, EMFILE, ...). */
  onFailed(error: number): void;
  /** The client no longer asks for the connection. */
  onUnwanted(): void;
}

/** How long a SYN is given where no link delays it: until shortly before the kernel would send another (TCP_TIMEOUT_INIT, a second). */
const defaultAnswerMs = 900;

/** A SYN that has not been answered for this long, and for as long as the links take, was dropped. */
const droppedMs = 5;
/** The first pause before a port pair that is in use is tried again, the factor by which it grows, and the longest. */
const retryMs = { first: 2, factor: 1.5, longest: 50 } as const;

/** What a dial is started with. */
export interface DialOptions {
  readonly subnet: Subnet;
  readonly connection: Connection;
  /** The dials to the same port. */
  readonly queue: DialQueue;
  /** Whether the client still asks for the connection, as far as is known. */
  readonly isWanted: () => boolean;
  /** How long a refusal is retried. */
  readonly waitListenMs: number;
  /** Whether nobody is left who could listen. */
  readonly isServerGone?: () => boolean;
  /** How long a SYN is given where no link delays it; until the client's kernel sends another by default. */
  readonly answerMs?: number;
  /** How much longer an answer takes over the links of this run. */
  readonly linkMs: number;
  /**
   * Whether the destination's port is served in the other family. Then a refusal is meant: a client
   * that tries IPv6 first must not wait for a server that only has IPv4.
   */
  readonly isServedInOtherFamily: (connection: Connection) => boolean;
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
  /** The last SYN was not answered in time. */
  #isSilent = false;
  /** The port was seen served in the other family, before the try that is under way. */
  #isServedElsewhere = false;

  /** Nothing happens before {@link start}. */
  constructor(reactor: Reactor, options: DialOptions, handler: DialHandler) {
    this.#reactor = reactor;
    this.#options = options;
    this.#handler = handler;
    this.#startedMs = reactor.nowMs;
    this.place = options.queue.takePlace();
  }

  /**
   * Starts to connect, once. Where the destination accepts at once, as it does by the shortcut, the socket
   * is returned, which nobody watches yet, and the handler hears nothing.
   */
  start(): Fd | undefined {
    const { queue } = this.#options;
    queue.retryBefore(this);
    if (queue.isFree) return this.#accepted(this.#try());
    queue.wait(this);
    return undefined;
  }

  /** The client asks again: tries once more, if the destination has not answered. */
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

  /** Gives up. The handler hears no more. A connection that was just made is reset. */
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
      return this.#handler.onConnected(end);
    }
    end.close();
    this.#failed(error);
  }

  /** The destination has answered, or will not. */
  #takeEnd(): PipeSocket | undefined {
    const end = this.#end;
    this.#end = undefined;
    if (this.#timer) this.#reactor.cancel(this.#timer);
    this.#timer = undefined;
    return end;
  }

  #giveUpSyn(): void {
    // It may have been answered in this moment, which is then told next. Else it says nothing when it goes.
    if (!this.#end || !socket.isConnecting(this.#end.fd)) return;
    this.#takeEnd()?.close();
    this.#isSilent = true;
    this.#handler.onSilent();
  }

  /** A client that gave up says nothing, and a server must not accept what nobody wants. */
  #retryIfWanted(): void {
    if (this.#options.isWanted()) return this.#tryLater();
    this.cancel();
    this.#handler.onUnwanted();
  }

  #tryLater(): void {
    const fd = this.#accepted(this.#try());
    if (fd !== undefined) this.#handler.onConnected(new PipeSocket(this.#reactor, fd, this));
  }

  /** Tells the queue if there is a socket. Returns it. */
  #accepted(fd: Fd | undefined): Fd | undefined {
    if (fd !== undefined) this.#options.queue.accepted(this);
    return fd;
  }

  /** Returns the socket if the destination has accepted already. */
  #try(): Fd | undefined {
    this.#timer = undefined;
    this.#isSilent = false;
    this.#triedMs = this.#reactor.nowMs;
    const { subnet, connection, linkMs, queue, answerMs = defaultAnswerMs } = this.#options;
    const { family, client, clientPort, server, serverPort } = connection;
    const address = subnet.addressBytes(hostOf(client));
    const fd = socket.boundSocket(family, { address, port: clientPort });
    if (fd < 0) return this.#failed(-fd);
    const remote = subnet.addressBytes(hostOf(server));
    const error = -socket.connect(fd as Fd, { address: remote, port: serverPort });
    if (error === 0) return fd as Fd;
    if (error === EINPROGRESS) {
      this.#end = new PipeSocket(this.#reactor, fd as Fd, this);
      queue.waitForAnswer(this, linkMs);
      this.#timer = this.#reactor.after(answerMs + linkMs, () => this.#giveUpSyn());
      return undefined;
    }
    if (socket.wasConnected(error)) return this.#connectedAndReset(fd as Fd);
    close(fd as Fd);
    return this.#failed(error);
  }

  /** The destination has accepted and reset the connection already. Its bytes can still be read. */
  #connectedAndReset(fd: Fd): undefined {
    const end = new PipeSocket(this.#reactor, fd, nobody);
    end.failed = true;
    this.#end = end;
    this.#options.queue.accepted(this);
    this.#timer = this.#reactor.after(0, () => {
      this.#takeEnd();
      this.#handler.onConnected(end);
    });
  }

  #failed(error: number): undefined {
    this.#options.queue.remove(this);
    if (error === EADDRNOTAVAIL || error === EADDRINUSE) this.#waitForPortPair();
    else if (error !== ECONNREFUSED || !this.#waitForListener()) {
      // Not from within the first try, whose caller may be in the middle of something.
      this.#timer = this.#reactor.after(0, () => this.#handler.onFailed(error));
    }
  }

  /**
   * An earlier connection with the same ports has not ended here: its receiver is slow, or it is in
   * TIME_WAIT. The client has ended its side of it, so this dial's turn comes, and until then the client's
   * SYN is held. It is for the client to give up.
   */
  #waitForPortPair(): void {
    this.#timer = this.#reactor.after(this.#pauseMs, () => this.#retryIfWanted());
    this.#pauseMs = Math.min(retryMs.longest, this.#pauseMs * retryMs.factor);
  }

  /** Whether the dial waits for somebody to listen. */
  #waitForListener(): boolean {
    const { waitListenMs, connection, isServedInOtherFamily, queue } = this.#options;
    if (this.#options.isServerGone?.() === true) return false;
    // A server that came up just after the refusal may serve both. So one more try is made, and a
    // refusal counts only if the other family was known to be served before it.
    if (this.#isServedElsewhere) return false;
    this.#isServedElsewhere = waitListenMs > 0 && isServedInOtherFamily(connection);
    if (this.#reactor.nowMs + queue.pauseMs > this.#startedMs + waitListenMs) return false;
    queue.waitForListener(this, this.#isServedElsewhere);
    return true;
  }
}
