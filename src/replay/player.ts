/**
 * The player: brings what the pure cores decide to kernel sockets, and what happens on the sockets to
 * the cores. Every live process stands alone: towards it, a socket of the pipe space plays each peer.
 *
 *     SYN of a live process -> matching -> schedule says when it is accepted or refused
 *     schedule: connect     -> dial to the live process, from the recorded client's address and port
 *     schedule: data, end, reset -> written to the live process
 *     bytes of a live process    -> compared, thrown away, noted in the schedule
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Address, Fd } from "../base/units.ts";
import { Direction, RecordKind } from "../dump/schema.ts";
import { type Attempt, type AttemptHandler, Attempts } from "../pipe/attempts.ts";
import { type Connection, opposite } from "../pipe/connection.ts";
import { Dial } from "../pipe/dial.ts";
import { Doors } from "../pipe/doors.ts";
import { End, type EndOwner, nothingYet } from "../pipe/end.ts";
import type { Lane } from "../switch/lane.ts";
import { virtioNetHeaderBytes } from "../sys/abi.ts";
import { ECONNREFUSED } from "../sys/errno.ts";
import { allocateRegion } from "../sys/memory.ts";
import type { Reactor, Task } from "../sys/reactor.ts";
import { closeWithReset } from "../sys/socket.ts";
import type { Timer } from "../sys/timers.ts";
import { type CompareParts, StreamComparison } from "./compare.ts";
import { LiveEnd } from "./live-end.ts";
import { type Matching, quietMs } from "./matching.ts";
import { PayloadFile } from "./payload-file.ts";
import type { RecordingIndex } from "./recording.ts";
import type { Schedule } from "./schedule.ts";

/** What the player is made of. */
export interface PlayerParts {
  readonly reactor: Reactor;
  readonly lanes: readonly Lane[];
  readonly index: RecordingIndex;
  readonly file: PayloadFile;
  readonly schedules: readonly Schedule[];
  readonly matching: Matching;
  readonly patienceMs: number;
  /** Absent with `--no-compare`. */
  readonly compare: Omit<CompareParts, "read"> | undefined;
  /** Puts a packet of a container that is not live into a live one. */
  readonly inject: (to: number, frame: Address, frameBytes: number) => void;
  readonly onBytes: (lengthBytes: number) => void;
  readonly onConnection: () => void;
}

const receiveBytes = 0x1_0000;
/** How many events one schedule delivers before others get their turn. */
const deliveriesPerTurn = 64;

/** One schedule with what drives it. */
interface Score extends Task {
  readonly schedule: Schedule;
  timer: Timer | undefined;
  queued: boolean;
  done: boolean;
  waitingFor: number;
  movedMs: number;
}

export class Player implements AttemptHandler, EndOwner {
  readonly attempts: Attempts = new Attempts(this);
  readonly scores: readonly Score[];
  readonly #parts: PlayerParts;
  readonly #doors: Doors;
  readonly #scoreOf = new Map<number, Score>();
  /** By connection: attempts that wait for the schedule to answer them. */
  readonly #asking = new Map<number, Attempt>();
  /** Attempts that were let in and wait for the kernel to accept them. */
  readonly #entering = new Map<Attempt, (fd: Fd) => void>();
  /** By 2 * connection + the direction that the live process sends in. */
  readonly #live = new Map<number, LiveEnd>();
  readonly #ofEnd = new Map<End, LiveEnd>();
  readonly #dials = new Map<number, Dial>();
  readonly #incoming = allocateRegion(receiveBytes);
  readonly #outgoing = PayloadFile.room();
  readonly #recorded = PayloadFile.room();

  constructor(parts: PlayerParts) {
    this.#parts = parts;
    this.#doors = new Doors(parts.reactor, parts.lanes, (connection, fd) =>
      this.#onAccepted(connection, fd),
    );
    this.scores = parts.schedules.map((schedule) => this.#createScore(schedule));
    for (const score of this.scores)
      for (const container of score.schedule.containers) this.#scoreOf.set(container, score);
  }

  /** Lets every schedule begin. */
  start(): void {
    for (const score of this.scores) this.#queue(score);
  }

  isDone(): boolean {
    return this.scores.every(({ done }) => done);
  }

  /** When anything last moved, in milliseconds of the reactor's clock. */
  get movedMs(): number {
    return Math.max(...this.scores.map(({ movedMs }) => movedMs));
  }

  /** The live process of this container is gone, and its sockets have said all they had. */
  noteGone(container: number): void {
    const score = this.#scoreOf.get(container);
    if (!score) return;
    score.schedule.noteGone(container);
    this.#queue(score);
  }

  /** A packet that is not TCP was sent by a live process. */
  notePacket(sender: number, receiver: number): void {
    const score = this.#scoreOf.get(sender);
    if (!score) return;
    score.schedule.notePacket(sender, receiver);
    this.#moved(score);
  }

  /** The run is over: what was compared so far is judged. */
  finish(): void {
    for (const live of this.#live.values()) live.comparison?.finish();
  }

  // What live processes ask for.

  onAttempt(attempt: Attempt): void {
    const { connection } = attempt;
    const score = this.#scoreOf.get(connection.client);
    if (!score) return this.attempts.refuse(attempt);
    const match = this.#parts.matching.attempt(connection, score.schedule.windowEnd());
    this.#parts.onConnection();
    if (match.type === "none") this.attempts.refuse(attempt);
    else if (match.type === "matched") {
      this.#asking.set(match.connection, attempt);
      score.schedule.noteConnected(match.connection);
    } else {
      const { pending } = match;
      this.#letIn(attempt, (fd) => {
        const live = this.#createLive(fd, connection.client, Direction.toServer);
        live.pending = pending;
        this.#readFrom(live);
      });
    }
    this.#moved(score);
  }

  onAbandoned(attempt: Attempt): void {
    this.#entering.delete(attempt);
    for (const [connection, asking] of this.#asking) {
      if (asking !== attempt) continue;
      this.#asking.delete(connection);
      const score = this.#scoreOf.get(attempt.connection.client);
      score?.schedule.noteReset(connection, Direction.toServer);
      if (score) this.#moved(score);
    }
  }

  onEndReady(end: End): void {
    const live = this.#ofEnd.get(end);
    if (!live || live.gone) return;
    if (end.hasBacklog()) this.#flush(live);
    if (end.readable && !live.gone) this.#readFrom(live);
  }

  #letIn(attempt: Attempt, entered: (fd: Fd) => void): void {
    const { family, server, serverPort } = attempt.connection;
    const error = this.#doors.open(family, server, serverPort);
    if (error < 0) return this.attempts.refuse(attempt);
    this.#entering.set(attempt, entered);
    this.attempts.admit(attempt, this.#parts.reactor.nowMs);
  }

  #onAccepted(connection: Connection, fd: Fd): void {
    const attempt = this.attempts.take(connection);
    const entered = attempt && this.#entering.get(attempt);
    if (!entered) {
      closeWithReset(fd);
      return;
    }
    this.#entering.delete(attempt);
    entered(fd);
  }

  #createLive(fd: Fd, container: number, direction: Direction): LiveEnd {
    return this.#adopt(new End(this.#parts.reactor, fd, this), container, direction);
  }

  #adopt(end: End, container: number, direction: Direction): LiveEnd {
    const live = new LiveEnd(end, container, direction);
    end.owner = this;
    this.#ofEnd.set(end, live);
    return live;
  }

  /** It is known which recorded connection this is. */
  #identify(live: LiveEnd, connection: number): void {
    live.connection = connection;
    live.pending = undefined;
    this.#live.set(2 * connection + live.direction, live);
    const { compare } = this.#parts;
    if (compare) {
      const read = (position: number, lengthBytes: number): Uint8Array => {
        this.#parts.file.readInto(this.#recorded.bytes, 0, position, lengthBytes);
        return this.#recorded.bytes.subarray(0, lengthBytes);
      };
      live.comparison = new StreamComparison({ ...compare, read }, connection, live.direction);
    }
  }

  // Bytes of live processes.

  #readFrom(live: LiveEnd): void {
    const score = this.#scoreOf.get(live.container);
    assert(score, "a live connection belongs to a live process");
    const { address, bytes } = this.#incoming;
    while (live.end.readable && !live.ended) {
      const count = live.end.receive(address, receiveBytes);
      if (count > 0) this.#take(live, score, bytes, count);
      else if (count === 0 && !live.end.failed) this.#onEnd(live, score);
      else if (count !== nothingYet) this.#onReset(live, score);
    }
    // After its FIN all that can come is a reset.
    if (live.ended && live.end.failed && !live.gone) this.#onReset(live, score);
    this.#moved(score);
  }

  #take(live: LiveEnd, score: Score, bytes: Uint8Array, lengthBytes: number): void {
    this.#parts.onBytes(lengthBytes);
    if (live.connection === 0) {
      live.early.push(bytes.slice(0, lengthBytes));
      const connection = live.pending?.push(bytes, 0, lengthBytes);
      if (connection !== undefined) this.#resolve(live, score, connection);
      return;
    }
    this.#compare(live, score, bytes, lengthBytes);
  }

  #compare(live: LiveEnd, score: Score, bytes: Uint8Array, lengthBytes: number): void {
    live.comparison?.push(bytes, 0, lengthBytes);
    live.received += lengthBytes;
    const position = live.comparison?.position ?? live.received;
    score.schedule.noteBytes(live.connection, live.direction, position);
  }

  /** A connection that was let in unidentified is this one: what came meanwhile is told now. */
  #resolve(live: LiveEnd, score: Score, connection: number): void {
    this.#identify(live, connection);
    score.schedule.noteConnected(connection);
    const { early } = live;
    live.early = [];
    for (const piece of early) this.#compare(live, score, piece, piece.length);
    if (live.earlyEnd === "end") this.#noteEnd(live, score);
    else if (live.earlyEnd === "reset") this.#noteReset(live, score);
    this.#queue(score);
  }

  #onEnd(live: LiveEnd, score: Score): void {
    live.ended = true;
    if (live.connection === 0) {
      live.earlyEnd = "end";
      if (live.pending) this.#resolve(live, score, live.pending.settle());
    } else this.#noteEnd(live, score);
  }

  #noteEnd(live: LiveEnd, score: Score): void {
    live.comparison?.finish();
    score.schedule.noteEnd(live.connection, live.direction);
    this.#closeIfOver(live);
  }

  #onReset(live: LiveEnd, score: Score): void {
    live.ended = true;
    this.#drop(live);
    if (live.connection === 0) {
      live.earlyEnd = "reset";
      if (live.pending) this.#resolve(live, score, live.pending.settle());
    } else this.#noteReset(live, score);
  }

  #noteReset(live: LiveEnd, score: Score): void {
    live.comparison?.finish();
    score.schedule.noteReset(live.connection, live.direction);
  }

  // What the schedules decide.

  #createScore(schedule: Schedule): Score {
    const score: Score = {
      schedule,
      timer: undefined,
      queued: false,
      done: false,
      waitingFor: -1,
      movedMs: this.#parts.reactor.nowMs,
      resume: () => this.#play(score),
    };
    return score;
  }

  #moved(score: Score): void {
    score.movedMs = this.#parts.reactor.nowMs;
    this.#queue(score);
  }

  #queue(score: Score): void {
    if (score.queued) return;
    score.queued = true;
    this.#parts.reactor.defer(score);
  }

  #play(score: Score): void {
    const { reactor } = this.#parts;
    score.queued = false;
    if (score.timer) reactor.cancel(score.timer);
    score.timer = undefined;
    for (let count = 0; count < deliveriesPerTurn; count++) {
      const turn = score.schedule.next(reactor.nowMs);
      score.done = turn.type === "done";
      score.waitingFor = turn.type === "wait" ? turn.event : -1;
      if (turn.type !== "deliver") return this.#sleep(score, turn.untilMs);
      score.movedMs = reactor.nowMs;
      this.#deliver(score, turn.event);
    }
    this.#queue(score);
  }

  /** Until something is noted, or until the time has come; whoever fell quiet is identified by then. */
  #sleep(score: Score, untilMs: number): void {
    const { reactor, matching } = this.#parts;
    const pending = score.schedule.containers.flatMap((client) => matching.pendingOf(client));
    const quietAtMs = pending.length > 0 ? score.movedMs + quietMs : Infinity;
    if (reactor.nowMs >= quietAtMs) return this.#settlePending(score);
    const wakeMs = Math.min(score.done ? Infinity : untilMs, quietAtMs);
    if (wakeMs === Infinity) return;
    score.timer = reactor.after(Math.max(0.1, wakeMs - reactor.nowMs), () => this.#queue(score));
  }

  #settlePending(score: Score): void {
    for (const live of this.#ofEnd.values())
      if (live.pending && score.schedule.containers.includes(live.container))
        this.#resolve(live, score, live.pending.settle());
    this.#moved(score);
  }

  #deliver(score: Score, event: number): void {
    const { index } = this.#parts;
    const kind = index.kind(event);
    if (kind === RecordKind.packet) return this.#deliverPacket(score, event);
    if (kind === RecordKind.connect) return this.#dial(score, event);
    if (kind === RecordKind.accept || kind === RecordKind.refuse)
      return this.#answer(score, event, kind === RecordKind.accept);
    const direction = opposite(index.direction(event));
    const live = this.#live.get(2 * index.connection(event) + direction);
    if (!live || live.gone) return score.schedule.noteDelivered(event);
    if (live.end.hasBacklog()) live.held = event;
    else this.#deliverTo(live, score, event);
  }

  /** Data, an end or a reset, to a connection that can take it now. */
  #deliverTo(live: LiveEnd, score: Score, event: number): void {
    const { index } = this.#parts;
    const kind = index.kind(event);
    switch (kind) {
      case RecordKind.data:
        this.#send(live, event);
        break;
      case RecordKind.end:
        live.end.shutdown();
        live.shutDown = true;
        break;
      case RecordKind.reset:
        live.gone = true;
        live.end.resetOnceSent(() => this.#ofEnd.delete(live.end));
        break;
      case RecordKind.connect:
      case RecordKind.accept:
      case RecordKind.refuse:
      case RecordKind.packet:
        return assert(false, "only what follows an accepted connection is delivered to it");
      default:
        return unreachable(kind);
    }
    score.schedule.noteDelivered(event);
    this.#closeIfOver(live);
  }

  #send(live: LiveEnd, event: number): void {
    const { index, file, onBytes } = this.#parts;
    const lengthBytes = index.lengthBytes(event);
    const { address, bytes } = this.#outgoing;
    file.readInto(bytes, 0, index.payloadPosition(event), lengthBytes);
    onBytes(lengthBytes);
    if (!live.end.send(address, bytes, 0, lengthBytes)) this.#broken(live);
  }

  #flush(live: LiveEnd): void {
    const score = this.#scoreOf.get(live.container);
    if (!score) return;
    if (!live.end.flush()) return this.#broken(live);
    score.schedule.noteMoved();
    score.movedMs = this.#parts.reactor.nowMs;
    if (live.end.hasBacklog() || live.held < 0) return;
    const event = live.held;
    live.held = -1;
    this.#deliverTo(live, score, event);
    this.#queue(score);
  }

  /** The process no longer takes bytes. What it sent before is read first, and then tells of the reset. */
  #broken(live: LiveEnd): void {
    live.end.failed = true;
    live.end.readable = true;
    live.end.dropBacklog();
    const score = this.#scoreOf.get(live.container);
    if (live.held >= 0) score?.schedule.noteDelivered(live.held);
    live.held = -1;
    this.#parts.reactor.defer({ resume: () => void (live.gone || this.#readFrom(live)) });
  }

  #closeIfOver(live: LiveEnd): void {
    if (live.gone || !live.ended || !live.shutDown) return;
    live.end.close();
    this.#ofEnd.delete(live.end);
    live.gone = true;
  }

  #drop(live: LiveEnd): void {
    if (live.gone) return;
    live.end.close();
    this.#ofEnd.delete(live.end);
    live.gone = true;
    if (live.held >= 0) this.#scoreOf.get(live.container)?.schedule.noteDelivered(live.held);
    live.held = -1;
  }

  /** The recorded server's answer to an attempt of a live client. */
  #answer(score: Score, event: number, accepted: boolean): void {
    const connection = this.#parts.index.connection(event);
    const attempt = this.#asking.get(connection);
    this.#asking.delete(connection);
    if (!attempt || !accepted) {
      if (attempt) this.attempts.refuse(attempt);
      score.schedule.noteDelivered(event);
      return;
    }
    this.#letIn(attempt, (fd) => {
      const live = this.#createLive(fd, attempt.connection.client, Direction.toServer);
      this.#identify(live, connection);
      score.schedule.noteDelivered(event);
      this.#readFrom(live);
    });
  }

  /** The recorded client connects to a live server. */
  #dial(score: Score, event: number): void {
    const { reactor, lanes, index, patienceMs } = this.#parts;
    const number = index.connection(event);
    const { family, client, clientPort, server, serverPort, outcome } =
      index.connections.describe(number);
    const lane = lanes.find((candidate) => candidate.family === family);
    assert(lane, "a recorded connection is of a family that the recording has");
    const options = {
      lane,
      connection: { family, client, clientPort, server, serverPort },
      waitListenMs: outcome === "accepted" ? patienceMs : 0,
      isServedInOtherFamily: () => false,
    };
    this.#parts.onConnection();
    score.schedule.noteDelivered(event);
    const dial = new Dial(reactor, options, {
      onConnected: (end) => this.#onDialConnected(score, number, end),
      onFailed: (error) => this.#onDialFailed(score, number, error),
    });
    this.#dials.set(number, dial);
  }

  #onDialConnected(score: Score, number: number, end: End): void {
    this.#dials.delete(number);
    const server = this.#parts.index.connections.server(number);
    const live = this.#adopt(end, server, Direction.toClient);
    this.#identify(live, number);
    score.schedule.noteAccepted(number);
    this.#readFrom(live);
  }

  #onDialFailed(score: Score, number: number, error: number): void {
    this.#dials.delete(number);
    if (error === ECONNREFUSED) score.schedule.noteRefused(number);
    this.#moved(score);
  }

  /** A packet of a container that is not live. Its checksum is whole: the recorder completed it. */
  #deliverPacket(score: Score, event: number): void {
    const { index, file, inject } = this.#parts;
    const lengthBytes = index.lengthBytes(event);
    const at = virtioNetHeaderBytes;
    this.#outgoing.bytes.fill(0, 0, at);
    file.readInto(this.#outgoing.bytes, at, index.payloadPosition(event), lengthBytes);
    inject(index.receiver(event), this.#outgoing.address, at + lengthBytes);
    score.schedule.noteDelivered(event);
  }
}
