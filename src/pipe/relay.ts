/**
 * A relay joins two ends: it passes each process's bytes to the other and reports them to the tap.
 *
 * The tap provides the memory that bytes are received into: the record under construction. So
 * receiving is recording, and the bytes are sent on from the same place.
 */
import { opposite, Direction } from "../base/direction.ts";
import type { PipeSocket, EndOwner } from "./pipe-socket.ts";
import { Action, RelayCore } from "./core/relay-core.ts";
import { mostPieces, type Pieces } from "../sys/pieces.ts";
import type { Reactor, Task } from "../sys/reactor.ts";

/** Observes a relay and provides its memory. One per connection. */
export interface RelayTap {
  /**
   * Reserves memory for up to `most` chunks, valid until the next call to any tap except {@link
   * onData}. Returns undefined if there is no room now.
   */
  reserve(most: number): Pieces | undefined;
  /** `lengthBytes` bytes were received into the reserved memory. */
  onData(direction: Direction, lengthBytes: number): void;
  /** The sender in this direction closed its side. */
  onEnd(direction: Direction): void;
  /** The sender in this direction reset the connection. */
  onReset(direction: Direction): void;
  /** The relay is over and both its ends are closed. */
  onOver(): void;
  /** Calls `task.resume` when {@link reserve} has room again. */
  whenRoom(task: Task): void;
}

/**
 * The number of bytes, and of receives, after which a relay lets others run. An end that floods
 * gets room for many chunks at once, so one system call, one wake-up of the receiver and one
 * acknowledgment cover half a megabyte.
 */
const turn = { bytes: 1_000_000, receivings: 8 } as const;

export class Relay implements EndOwner, Task {
  readonly #reactor: Reactor;
  /** Indexed by the direction in which each end sends: the client's socket comes first. */
  readonly #ends: readonly [PipeSocket, PipeSocket];
  readonly #tap: RelayTap;
  readonly #onOver: () => void;
  readonly #core = new RelayCore();
  #waitsForTurn = false;

  /** `onOver` is called when neither process can send anything more. */
  constructor(
    reactor: Reactor,
    client: PipeSocket,
    server: PipeSocket,
    tap: RelayTap,
    onOver: () => void,
  ) {
    this.#reactor = reactor;
    this.#ends = [client, server];
    this.#tap = tap;
    this.#onOver = onOver;
    client.owner = this;
    server.owner = this;
  }

  /** Moves the bytes that have already arrived. Call it once, after construction. */
  start(): void {
    this.resume();
  }

  onEndReady(end: PipeSocket): void {
    const sends = end === this.#ends[0] ? Direction.toServer : Direction.toClient;
    if (end.hasBacklog()) this.#flushTo(opposite(sends));
    if (end.readable) this.#pump(sends);
  }

  resume(): void {
    this.#waitsForTurn = false;
    this.#pump(Direction.toServer);
    this.#pump(Direction.toClient);
  }

  /**
   * Call it when the client connects again from the same port, which means it is done with this
   * connection. Its last bytes and its reset preceded the new SYN, but the kernel may report them
   * later.
   */
  catchUp(): void {
    const [client] = this.#ends;
    client.expectEnd();
    if (!this.#core.isOpen(Direction.toServer)) client.failed = true;
    this.#pump(Direction.toServer);
  }

  #pump(direction: Direction): void {
    const from = this.#ends[direction];
    const to = this.#ends[opposite(direction)];
    let moved = 0;
    for (let i = 0; i < turn.receivings && moved < turn.bytes; i++) {
      if (!from.readable || to.hasBacklog()) return;
      if (!this.#core.isOpen(direction)) return this.#notice(direction);
      const pieces = this.#tap.reserve(from.floods ? mostPieces : 1);
      if (!pieces) return this.#tap.whenRoom(this);
      const received = from.receive(pieces);
      moved += from.receivedBytes;
      if (received === "bytes") this.#pass(direction, pieces, from.receivedBytes);
      else if (received === "end") return this.#end(direction);
      else if (received === "reset") return this.#reset(direction);
    }
    this.#takeTurnsLater();
  }

  /** After its FIN, a process can only send a reset. */
  #notice(direction: Direction): void {
    if (this.#ends[direction].failed) this.#reset(direction);
  }

  #pass(direction: Direction, pieces: Pieces, lengthBytes: number): void {
    const to = this.#ends[opposite(direction)];
    // Send first: the receiver wakes up while the rest is done here.
    const isSent = to.send(pieces, lengthBytes);
    this.#tap.onData(direction, lengthBytes);
    if (!isSent) this.#broken(opposite(direction));
  }

  #flushTo(direction: Direction): void {
    const to = this.#ends[opposite(direction)];
    if (!to.flush()) return this.#broken(opposite(direction));
    if (to.hasBacklog()) return;
    this.#perform(this.#core.onFlushed(direction), direction);
    this.#pump(direction);
  }

  /**
   * The process that sends in `direction` no longer takes bytes, because it reset the connection.
   * The bytes that it sent before are still readable; after them, reading reports the reset.
   */
  #broken(direction: Direction): void {
    const end = this.#ends[direction];
    end.failed = true;
    end.readable = true;
    end.dropBacklog();
    if (this.#core.isOpen(direction)) this.#takeTurnsLater();
    else this.#reset(direction);
  }

  #takeTurnsLater(): void {
    if (this.#waitsForTurn || this.#core.isOver()) return;
    this.#waitsForTurn = true;
    this.#reactor.defer(this);
  }

  #end(direction: Direction): void {
    this.#tap.onEnd(direction);
    const backlog = this.#ends[opposite(direction)].hasBacklog();
    this.#perform(this.#core.onEnd(direction, backlog), direction);
  }

  #reset(direction: Direction): void {
    if (this.#core.isOver()) return;
    this.#tap.onReset(direction);
    this.#perform(this.#core.onReset(), direction);
  }

  #perform(actions: number, direction: Direction): void {
    const to = this.#ends[opposite(direction)];
    if ((actions & Action.shutdown) !== 0) to.shutdown();
    if ((actions & (Action.close | Action.reset)) !== 0) this.#onOver();
    if ((actions & Action.close) !== 0) {
      for (const end of this.#ends) end.closeWhenIdle();
      this.#tap.onOver();
    }
    if ((actions & Action.reset) !== 0) {
      this.#ends[direction].close();
      to.resetOnceSent(() => this.#tap.onOver());
    }
  }
}
