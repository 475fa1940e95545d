/**
 * The joiner makes pipes during a recording. For each attempt it dials the destination, lets the
 * client in once the destination has accepted, and joins the two sockets in a relay.
 *
 *     SYN held -> dial -> connected -> SYN let in -> accepted -> relay
 *                      -> refused   -> RST to the client
 *                      -> no answer -> nothing to the client
 */
import type { ContainerIndex } from "../base/ids.ts";
import { assert } from "../base/assert.ts";
import { Direction } from "../base/direction.ts";
import type { Fd } from "../base/units.ts";
import { type Subnet, subnetFor } from "../net/subnet.ts";
import { ECONNREFUSED, EMFILE, ENFILE } from "../sys/errno.ts";
import type { Reactor } from "../sys/reactor.ts";
import { closeWithReset } from "../sys/socket.ts";
import type { StarvingThreads } from "../sys/threads.ts";
import { type Attempt, type AttemptExits, Attempts } from "./attempts.ts";
import { type Connection, connectionKey } from "./core/connection.ts";
import { ListeningHopes } from "./core/listening-hopes.ts";
import { DialQueues } from "./dial-queue.ts";
import { Dial } from "./dial.ts";
import { Doors, type Opening } from "./doors.ts";
import type { AttemptHandler } from "./entrance.ts";
import { PipeSocket, nobody } from "./pipe-socket.ts";
import { Relay, type RelayTap } from "./relay.ts";

/** Observes one connection, from its SYN on. */
export interface ConnectionTap extends RelayTap {
  /** The destination accepted. */
  onAccepted(): void;
  /** The destination refused, so the client is refused. */
  onRefused(): void;
  /** No connection came about: the destination was silent, or the client gave up. */
  onFailed(): void;
}

/** Creates the tap of a new connection. */
export type TapConnection = (connection: Connection) => ConnectionTap;

/** A pipe under construction. */
interface Making {
  readonly tap: ConnectionTap;
  dial: Dial | undefined;
  server: PipeSocket | undefined;
  /**
   * Whether the client's kernel has reported the client's socket as connecting. If it has not, the
   * client counts as waiting until its attempt is abandoned.
   */
  isSeenWaiting: boolean;
}

const sweepMs = 10_000;

export class Joiner implements AttemptHandler<Making> {
  readonly attempts: Attempts<Making>;
  readonly #reactor: Reactor;
  readonly #subnets: readonly Subnet[];
  readonly #tapFor: TapConnection;
  readonly #waitListenMs: number;
  readonly #hopes: ListeningHopes;
  readonly #unready: Set<number>;
  /** Attempts to reach containers that are not ready. */
  readonly #early = new Set<Attempt<Making>>();
  readonly #linkMs: number;
  readonly #isServedInOtherFamily: (connection: Connection) => boolean;
  readonly #isBacklogFull: (connection: Connection) => boolean;
  readonly #isConnecting: (connection: Connection) => boolean;
  readonly #watchThreads: (container: ContainerIndex) => StarvingThreads;
  readonly #onWarning: (text: string) => void;
  readonly #doors: Doors;
  readonly #queues: DialQueues;
  readonly #relays = new Map<string, Relay>();
  #hasWarned = false;

  constructor(parts: {
    readonly reactor: Reactor;
    readonly subnets: readonly Subnet[];
    readonly exits: AttemptExits;
    readonly tapFor: TapConnection;
    /** How long to retry a connection that is refused. */
    readonly waitListenMs: number;
    /** Containers whose incoming connections are held until {@link Joiner.noteReady}. */
    readonly unready: readonly number[];
    /** See {@link DialOptions}. */
    readonly linkMs: number;
    /** See {@link DialOptions}. */
    readonly isServedInOtherFamily: (connection: Connection) => boolean;
    /** See {@link DialOptions}. */
    readonly isBacklogFull: (connection: Connection) => boolean;
    /** Whether the client's socket is still connecting. */
    readonly isConnecting: (connection: Connection) => boolean;
    readonly watchThreads: (container: ContainerIndex) => StarvingThreads;
    readonly onWarning: (text: string) => void;
  }) {
    this.attempts = new Attempts(parts.reactor, parts.exits);
    this.#reactor = parts.reactor;
    this.#subnets = parts.subnets;
    this.#tapFor = parts.tapFor;
    this.#waitListenMs = parts.waitListenMs;
    this.#hopes = new ListeningHopes(parts.waitListenMs);
    this.#unready = new Set(parts.unready);
    this.#linkMs = parts.linkMs;
    this.#isServedInOtherFamily = parts.isServedInOtherFamily;
    this.#isBacklogFull = parts.isBacklogFull;
    this.#isConnecting = parts.isConnecting;
    this.#watchThreads = parts.watchThreads;
    this.#onWarning = parts.onWarning;
    this.#doors = new Doors(parts.reactor, parts.subnets, (connection, fd) =>
      this.#onAccepted(connection, fd),
    );
    this.#queues = new DialQueues(parts.reactor);
    this.#sweepLater();
  }

  onAttempt(attempt: Attempt<Making>): void {
    if (this.#unready.has(attempt.connection.server)) this.#early.add(attempt);
    else this.#make(attempt);
  }

  /** The container is ready: dials its held attempts, oldest first, and later ones as they come. */
  noteReady(container: ContainerIndex): void {
    this.#unready.delete(container);
    for (const attempt of this.#early) {
      if (attempt.connection.server !== container) continue;
      this.#early.delete(attempt);
      this.#make(attempt);
    }
  }

  /** The container has no process left, so it will neither become ready nor listen. */
  noteGone(container: ContainerIndex): void {
    this.#hopes.noteGone(container);
    this.noteReady(container);
  }

  #make(attempt: Attempt<Making>): void {
    const { connection } = attempt;
    this.#relays.get(connectionKey(connection))?.catchUp();
    const subnet = subnetFor(this.#subnets, connection.family);
    const options = {
      subnet,
      connection,
      queue: this.#queues.of(connection),
      isWanted: () => attempt.work?.isSeenWaiting !== true || this.#isConnecting(connection),
      waitListenMs: this.#hopes.remainingMs(connection, this.#reactor.nowMs),
      isServerGone: () => this.#hopes.isGone(connection),
      linkMs: this.#linkMs,
      isServedInOtherFamily: this.#isServedInOtherFamily,
      isBacklogFull: this.#isBacklogFull,
    };
    const dial = new Dial(this.#reactor, options, {
      onConnected: (_, end) => this.#join(attempt, end, this.#letIn(attempt)),
      // A client that still wants the connection retransmits its SYN.
      onSilent: () => {},
      onFailed: (_, error) => this.#onDialFailed(attempt, error),
      onUnwanted: () => this.#comeToNothing(attempt),
    });
    const fd = dial.start();
    // Let the client in first: it wakes up while the rest is done here.
    const door = fd === undefined ? undefined : this.#letIn(attempt);
    attempt.work = {
      tap: this.#tapFor(connection),
      dial,
      server: undefined,
      isSeenWaiting: fd === undefined && this.#waitListenMs > 0 && this.#isConnecting(connection),
    };
    if (fd !== undefined && door !== undefined)
      this.#join(attempt, new PipeSocket(this.#reactor, fd, nobody), door);
  }

  onRepeated(attempt: Attempt<Making>): void {
    const making = attempt.work;
    if (!making) return;
    making.isSeenWaiting = this.#isConnecting(attempt.connection);
    making.dial?.again();
  }

  onReplaced({ family, server, serverPort }: Connection): void {
    this.#doors.acceptWaiting(family, server, serverPort);
  }

  onAbandoned(attempt: Attempt<Making>): void {
    this.#early.delete(attempt);
    const making = takeWork(attempt);
    making?.dial?.cancel();
    if (!making?.server) return making?.tap.onFailed();
    making.tap.onReset(Direction.toServer);
    making.server.resetOnceSent(() => making.tap.onOver());
  }

  /**
   * Lets the client in, because the destination accepted. Returns the door that accepts it.
   */
  #letIn(attempt: Attempt<Making>): Opening {
    const { family, server, serverPort } = attempt.connection;
    const opening = this.#doors.open(family, server, serverPort);
    if (opening.door !== undefined) this.attempts.admit(attempt);
    return opening;
  }

  #join(attempt: Attempt<Making>, end: PipeSocket, opening: Opening): void {
    const making = attempt.work;
    assert(making, "a pipe under construction is joined");
    making.dial = undefined;
    if (opening.door === undefined) {
      end.reset();
      return this.#onDialFailed(attempt, opening.errorNumber);
    }
    making.server = end;
    end.owner = nobody;
    making.tap.onAccepted();
    this.#hopes.noteAccepted(attempt.connection);
    // Over the shortcut the handshake is complete: the kernel performs it during the write of the
    // SYN.
    opening.door.onReady();
  }

  #onDialFailed(attempt: Attempt<Making>, error: number): void {
    const isOurFault = error === EMFILE || error === ENFILE;
    if (error !== ECONNREFUSED && !isOurFault) return this.#comeToNothing(attempt);
    const making = takeWork(attempt);
    if (isOurFault) this.#warnOfLimit();
    making?.tap.onRefused();
    this.attempts.refuse(attempt);
  }

  #comeToNothing(attempt: Attempt<Making>): void {
    takeWork(attempt)?.tap.onFailed();
    this.attempts.forget(attempt);
  }

  #warnOfLimit(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#onWarning(
      "out of file descriptors: new connections are refused until others end ('ulimit -n' sets the limit, and each takes two)",
    );
  }

  #onAccepted(connection: Connection, fd: Fd): void {
    const attempt = this.attempts.take(connection);
    const making = attempt && takeWork(attempt);
    if (!making?.server) {
      closeWithReset(fd);
      return;
    }
    const client = PipeSocket.accepted(this.#reactor, fd, nobody, () =>
      this.#watchThreads(connection.client),
    );
    const key = connectionKey(connection);
    const relay = new Relay(this.#reactor, client, making.server, making.tap, () => {
      if (this.#relays.get(key) === relay) this.#relays.delete(key);
    });
    this.#relays.set(key, relay);
    relay.start();
  }

  #sweepLater(): void {
    this.#reactor.after(sweepMs, () => {
      for (const attempt of this.attempts.sweep()) this.onAbandoned(attempt);
      this.#sweepLater();
    });
  }
}

/** Detaches an attempt's pipe, which is complete or has failed. */
function takeWork(attempt: Attempt<Making>): Making | undefined {
  const making = attempt.work;
  attempt.work = undefined;
  return making;
}
