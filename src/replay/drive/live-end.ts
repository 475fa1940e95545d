/**
 * One live connection of a live process: the kernel socket that plays its peer. It compares and
 * notes what the process sends, and sends what the recording holds for the process, event by event.
 */
import type { ConnectionNumber, EventNumber } from "../../base/ids.ts";
import { assert } from "../../base/assert.ts";
import { Direction } from "../../base/direction.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import type { PipeSocket, EndOwner } from "../../pipe/pipe-socket.ts";
import type { Pieces } from "../../sys/pieces.ts";
import type { Reactor } from "../../sys/reactor.ts";
import { setSendRoom } from "../../sys/socket.ts";
import type { PendingMatch } from "../match/matching.ts";
import type { Listener } from "./listener.ts";
import type { PacedEnd } from "./read-barrier.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";
import type { ContainerSockets } from "./container-sockets.ts";

/** The collaborators and buffers that all live connections of a replay share. */
export interface LiveParts {
  readonly reactor: Reactor;
  /** The buffer that bytes are received into. */
  readonly incoming: Pieces;
  /** The buffer for bytes to send, which {@link LiveParts.readPayload} fills. */
  readonly outgoing: Pieces;
  /** Reads an event's payload into `outgoing` and returns its length in bytes. */
  readPayload(event: EventNumber): number;
  /** Creates the listener for a live connection that is identified as `connection`. */
  listenerFor(connection: ConnectionNumber, live: LiveEnd): Listener;
  readonly sockets: ContainerSockets;
  onBytes(lengthBytes: number): void;
  /** `live` has been identified. */
  onIdentified(live: LiveEnd): void;
}

/**
 * How much the kernel buffers for a process that does not read. If the recorded reader slept, the
 * recording contains what all buffers on the way took, up to 6 and 4 MiB on Linux. This buffer must
 * hold as much, or those bytes would delay later events on other connections.
 */
const sendRoomBytes = 0xa0_0000;

/** How often to read a connection before other connections and the schedule get their turn. */
const receivingsPerTurn = 8;

export class LiveEnd implements EndOwner, PacedEnd {
  readonly wire: Connection;
  /** The direction in which the process sends. */
  readonly direction: Direction;
  readonly runner: ScheduleRunner;
  readonly #parts: LiveParts;
  readonly #end: PipeSocket;
  #pending: PendingMatch | undefined;
  /** Absent until the connection is identified. */
  #listener: Listener | undefined;
  /** What the process sent before the connection was identified. */
  #early: Uint8Array[] = [];
  /** Events, with their actions, that wait until the process has taken the bytes before them. */
  readonly #held: { readonly event: EventNumber; readonly act: () => void }[] = [];
  /** How the process ended its direction. */
  #ended: "end" | "reset" | undefined;
  /** Whether the replay has sent the recorded FIN to the process. */
  #isShutDown = false;
  #isClosed = false;
  #readsOn = false;
  readonly #readOn = {
    resume: (): void => {
      this.#readsOn = false;
      this.read();
    },
  };

  /**
   * Takes over `end`, which is one end of the connection `wire`. `identity` is the recorded
   * connection's number, or a pending match.
   */
  constructor(
    parts: LiveParts,
    end: PipeSocket,
    runner: ScheduleRunner,
    wire: Connection,
    direction: Direction,
    identity: number | PendingMatch,
  ) {
    this.#parts = parts;
    this.#end = end;
    this.runner = runner;
    this.wire = wire;
    this.direction = direction;
    end.owner = this;
    setSendRoom(end.fd, sendRoomBytes);
    if (typeof identity === "number") this.#identify(identity);
    else this.#pending = identity;
  }

  /** See {@link PipeSocket.askForReset}. */
  askForReset(): number {
    return this.#isClosed ? 0 : this.#end.askForReset();
  }

  /** Whether the process may still send bytes, a FIN or a RST. */
  get isOpen(): boolean {
    return this.#ended === undefined && !this.#isClosed;
  }

  /** The container of the process. */
  get container(): number {
    return this.direction === Direction.toServer ? this.wire.client : this.wire.server;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  onEndReady(): void {
    if (this.#isClosed) return;
    if (this.#end.hasBacklog()) this.#flush();
    this.read();
  }

  /** Reads what is there. Call it once after the connection was made. */
  read(): void {
    if (this.#isClosed) return;
    for (let i = 0; i < receivingsPerTurn && this.#end.readable && !this.#ended; i++)
      this.#receive();
    if (this.#end.readable && !this.#ended) this.#readOnLater();
    // After its FIN, a process can only send a RST.
    if (this.#ended === "end" && this.#end.failed && !this.#isClosed) this.#onEnd("reset");
    this.runner.moved();
  }

  #readOnLater(): void {
    if (this.#readsOn) return;
    this.#readsOn = true;
    this.#parts.reactor.defer(this.#readOn);
  }

  #receive(): void {
    const { incoming } = this.#parts;
    const received = this.#end.receive(incoming);
    if (received === "bytes") this.#take(this.#end.receivedBytes);
    else if (received !== "nothing") this.#onEnd(received);
  }

  /**
   * The process has fallen quiet. Decides a pending match and a held question if the bytes so far
   * allow it.
   */
  settle(): void {
    const connection = this.#pending?.settle();
    if (connection !== undefined) this.#resolve(connection);
    this.#listener?.settle();
  }

  /** The recorded connection or detached exchange that is played now; 0 if not identified yet. */
  get connection(): number {
    return this.#listener?.connection ?? 0;
  }

  /** Whether the listener holds bytes until it is clear which question they ask. */
  get isHolding(): boolean {
    return this.#listener?.isHolding ?? false;
  }

  /** Identifies this as `connection`, on which the recorded server speaks first. */
  resolveAs(connection: ConnectionNumber): void {
    assert(this.#pending, "it was not identified");
    this.#resolve(this.#pending.decideFor(connection));
  }

  isPending(match: PendingMatch): boolean {
    return this.#pending === match;
  }

  /** Sends a data event to the process, now or after it has taken the data before. */
  sendData(event: EventNumber): void {
    this.#inTurn(event, () => {
      const { outgoing } = this.#parts;
      const lengthBytes = this.#parts.readPayload(event);
      this.#parts.onBytes(lengthBytes);
      this.runner.reading.noteSent(this);
      if (!this.#end.send(outgoing, lengthBytes)) this.#broken();
    });
  }

  /** Sends a FIN to the process after the data before it. */
  sendEnd(event: EventNumber): void {
    this.#inTurn(event, () => {
      this.#end.shutdown();
      this.#isShutDown = true;
    });
  }

  /** Resets the connection after the data before it. */
  sendReset(event: EventNumber): void {
    this.#inTurn(event, () => {
      this.#isClosed = true;
      this.#end.resetOnceSent(() => {});
    });
  }

  /** The number of bytes sent to the process that it has not read, in all buffers on the way. */
  unreadBytes(): number {
    return this.#end.waitingBytes() + this.#parts.sockets.unreadBytes(this);
  }

  /** See {@link Listener.isAstrayUpTo}. */
  isAstrayUpTo(to: number): boolean {
    return this.#listener?.isAstrayUpTo(to) ?? false;
  }

  /** See {@link Listener.foresee}. */
  foresee(): void {
    this.#listener?.foresee();
  }

  /** The run is over: reports remaining differences. */
  finish(): void {
    this.#listener?.finish();
  }

  #inTurn(event: EventNumber, act: () => void): void {
    if (!this.#isClosed && (this.#held.length > 0 || this.#end.hasBacklog())) {
      this.#held.push({ event, act });
      return;
    }
    this.#happen(event, act);
  }

  #happen(event: EventNumber, act: () => void): void {
    if (!this.#isClosed) act();
    this.runner.schedule.noteDelivered(event);
    this.#listener?.noteDelivered();
    this.#closeIfOver();
  }

  #flush(): void {
    if (!this.#end.flush()) return this.#broken();
    this.runner.schedule.noteMoved();
    if (!this.#end.hasBacklog()) this.#releaseHeld();
    this.runner.moved();
  }

  #releaseHeld(): void {
    while (this.#held.length > 0 && (this.#isClosed || !this.#end.hasBacklog())) {
      const { event, act } = this.#held.shift() as { event: EventNumber; act: () => void };
      this.#happen(event, act);
    }
  }

  /**
   * The process no longer takes bytes. Reading yields the bytes that it sent earlier, then the
   * reset.
   */
  #broken(): void {
    this.#end.failed = true;
    this.#end.readable = true;
    this.#end.dropBacklog();
    this.#releaseHeld();
    this.#readOnLater();
  }

  #identify(connection: ConnectionNumber): void {
    this.#pending = undefined;
    this.#listener = this.#parts.listenerFor(connection, this);
    this.#parts.onIdentified(this);
  }

  #take(lengthBytes: number): void {
    const { bytes } = this.#parts.incoming.region;
    this.#parts.onBytes(lengthBytes);
    if (!this.#pending) return this.#listener?.take(bytes.subarray(0, lengthBytes));
    this.#early.push(bytes.slice(0, lengthBytes));
    const connection = this.#pending.push(bytes, 0, lengthBytes);
    if (connection !== undefined) this.#resolve(connection);
  }

  /** Identifies the connection, and passes on what came before. */
  #resolve(connection: ConnectionNumber): void {
    this.#identify(connection);
    this.runner.schedule.noteConnected(connection);
    const early = this.#early;
    this.#early = [];
    for (const piece of early) this.#listener?.take(piece);
    if (this.#ended) this.#noteEnd();
    this.runner.moved();
  }

  #onEnd(how: "end" | "reset"): void {
    this.#ended = how;
    if (how === "reset") this.#close();
    if (this.#pending) this.#resolve(this.#pending.conclude());
    else this.#noteEnd();
  }

  #noteEnd(): void {
    assert(this.#listener && this.#ended, "what ends has been identified");
    this.#listener.end(this.#ended);
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#ended && this.#isShutDown) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end.close();
    this.#releaseHeld();
  }
}
