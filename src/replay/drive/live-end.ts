/**
 * One live connection of a live process: the kernel socket that plays its peer. What the process sends
 * is compared and noted; what the recording holds for it is sent, an event at a time.
 */
import { assert } from "../../base/assert.ts";
import { Direction } from "../../base/direction.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import { type PipeSocket, type EndOwner, nothingYet } from "../../pipe/pipe-socket.ts";
import type { Pieces } from "../../sys/pieces.ts";
import type { Reactor } from "../../sys/reactor.ts";
import { setSendRoom } from "../../sys/socket.ts";
import type { PendingMatch } from "../match/matching.ts";
import type { Listener } from "./listener.ts";
import type { PacedEnd } from "./read-barrier.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";
import type { ContainerSockets } from "./container-sockets.ts";

/** What all live connections of a replay share. */
export interface LiveParts {
  readonly reactor: Reactor;
  /** Where bytes are received to. */
  readonly incoming: Pieces;
  /** Where bytes to be sent are read to, by {@link LiveParts.readPayload}. */
  readonly outgoing: Pieces;
  /** Reads an event's payload to `outgoing` and returns its length in bytes. */
  readPayload(event: number): number;
  /** What takes in the bytes of a live connection that is `connection`. */
  listenerFor(connection: number, live: LiveEnd): Listener;
  readonly sockets: ContainerSockets;
  onBytes(lengthBytes: number): void;
  /** `live` is identified. */
  onIdentified(live: LiveEnd): void;
}

/**
 * What the kernel takes for a process that does not read. Where its reader slept, the recording has what
 * all buffers on the way took, up to 6 and 4 MiB as Linux has it; that much must be out of the way here,
 * or it would hold up what comes after it on other connections.
 */
const sendRoomBytes = 0xa0_0000;

/** How often a connection is read before others, and the schedule, get their turn. */
const receivingsPerTurn = 8;

export class LiveEnd implements EndOwner, PacedEnd {
  readonly wire: Connection;
  /** The direction that the process sends in. */
  readonly direction: Direction;
  readonly runner: ScheduleRunner;
  readonly #parts: LiveParts;
  readonly #end: PipeSocket;
  #pending: PendingMatch | undefined;
  /** Absent until the connection is identified. */
  #listener: Listener | undefined;
  /** What the process sent before that. */
  #early: Uint8Array[] = [];
  /** Events, and how they happen, that wait for the bytes before them to be taken. */
  readonly #held: { readonly event: number; readonly act: () => void }[] = [];
  /** How the process ended its direction. */
  #ended: "end" | "reset" | undefined;
  /** The recording's FIN was said to the process. */
  #isShutDown = false;
  #isClosed = false;
  #readsOn = false;
  readonly #readOn = {
    resume: (): void => {
      this.#readsOn = false;
      this.read();
    },
  };

  /** Takes over `end`, which is one of the connection `wire`. `identity`: the recorded connection's number, or the match that is pending. */
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

  /** Whether the process may still send bytes, an end or a reset. */
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

  /** Takes what there is to read. To be called once after the connection was made. */
  read(): void {
    if (this.#isClosed) return;
    for (let i = 0; i < receivingsPerTurn && this.#end.readable && !this.#ended; i++)
      this.#receive();
    if (this.#end.readable && !this.#ended) this.#readOnLater();
    // After its FIN all that can come from a process is a reset.
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
    const count = this.#end.receive(incoming);
    if (count > 0) this.#take(count);
    else if (count === 0 && !this.#end.failed) this.#onEnd("end");
    else if (count !== nothingYet) this.#onEnd("reset");
  }

  /** The process has fallen quiet: decides by what is known which connection this is, if it can. */
  settle(): void {
    const connection = this.#pending?.settle();
    if (connection !== undefined) this.#resolve(connection);
    this.#listener?.settle();
  }

  /** The recorded connection, or detached exchange, that is played now; 0 if it is not identified. */
  get connection(): number {
    return this.#listener?.connection ?? 0;
  }

  /** Whether bytes are kept until it is clear what they ask. */
  get isHolding(): boolean {
    return this.#listener?.isHolding ?? false;
  }

  /** The recorded server speaks first on `connection`: this is the one. */
  resolveAs(connection: number): void {
    assert(this.#pending, "it was not identified");
    this.#resolve(this.#pending.decideFor(connection));
  }

  isPending(match: PendingMatch): boolean {
    return this.#pending === match;
  }

  /** Sends an event of data to the process, now or when it has taken those before. */
  sendData(event: number): void {
    this.#inTurn(event, () => {
      const { outgoing } = this.#parts;
      const lengthBytes = this.#parts.readPayload(event);
      this.#parts.onBytes(lengthBytes);
      this.runner.reading.noteSent(this);
      if (!this.#end.send(outgoing, lengthBytes)) this.#broken();
    });
  }

  /** Says FIN to the process, behind the bytes before. */
  sendEnd(event: number): void {
    this.#inTurn(event, () => {
      this.#end.shutdown();
      this.#isShutDown = true;
    });
  }

  /** Resets the connection, behind the bytes before. */
  sendReset(event: number): void {
    this.#inTurn(event, () => {
      this.#isClosed = true;
      this.#end.resetOnceSent(() => {});
    });
  }

  /** Bytes that the process was sent and has not read, in any buffer on the way. */
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

  /**
   * Reports a difference now of which more context was still awaited. Returns the unit that comes next
   * on this connection, where its protocol has units.
   */
  tell(): string | undefined {
    return this.#listener?.tell();
  }

  /** The run is over: what was compared so far is judged. */
  finish(): void {
    this.#listener?.finish();
  }

  #inTurn(event: number, act: () => void): void {
    if (!this.#isClosed && (this.#held.length > 0 || this.#end.hasBacklog())) {
      this.#held.push({ event, act });
      return;
    }
    this.#happen(event, act);
  }

  #happen(event: number, act: () => void): void {
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
      const { event, act } = this.#held.shift() as { event: number; act: () => void };
      this.#happen(event, act);
    }
  }

  /** The process no longer takes bytes. What it sent before is read first, and then tells of the reset. */
  #broken(): void {
    this.#end.failed = true;
    this.#end.readable = true;
    this.#end.dropBacklog();
    this.#releaseHeld();
    this.#readOnLater();
  }

  #identify(connection: number): void {
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

  /** What came while it was not known which connection this is is told now. */
  #resolve(connection: number): void {
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
