/**
 * Moves through the recording for the live processes of one schedule. It is pure: no clock, no I/O.
 *
 * A cursor stands before an event of the script. If a live process caused the event, the cursor
 * waits for the process to do the same. If it happens to a live process, the engine asks its caller
 * to deliver it. So nothing happens to a process before what preceded it in the recording.
 *
 * The engine gives up an event that blocks for too long and counts it as done. A connection that
 * was given up, or whose process stops reading, leaves the common order. If it recovers, a cursor
 * of its own resumes it.
 *
 * With the order `connection`, the main cursor starts a cursor for each connection, after the
 * connections that had ended before it in the recording. Under `flood`, a cursor first delivers
 * bytes without waiting. At the first FIN or RST it goes back and waits for the process.
 */
import {
  connectionOf,
  type ContainerIndex,
  type EndId,
  endOf,
  type EventNumber,
  noEnd,
  noEvent,
} from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { Cursor, DueQueue, ReadyQueue } from "./cursor.ts";
import { CursorMoves } from "./cursor-moves.ts";
import type { Gate } from "./gate.ts";
import { GivingUp } from "./giving-up.ts";
import { gone } from "../findings/wait.ts";
import { Opener } from "./opener.ts";
import { OwnClock } from "./own-clock.ts";
import { RecordedPace } from "./recorded-pace.ts";
import type { CursorEngineParts } from "./engine-parts.ts";
import { Patience } from "./patience.ts";
import { Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { ConnectionCursors } from "./connection-cursors.ts";
import { Answer, speedOf, type Step } from "./step.ts";

export class CursorEngine {
  readonly script: Uint32Array;
  /** Whether each connection has its own cursor, so that the main cursor only opens connections. */
  readonly opens: boolean;
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #gate: Gate;
  readonly #main: Cursor;
  readonly #cursors: ConnectionCursors;
  readonly #ready = new ReadyQueue();
  readonly #due = new DueQueue();
  readonly #answer = new Answer();
  #nowMs = 0;
  #startMs: number | undefined;
  readonly #clock: OwnClock;
  readonly #pace: RecordedPace;
  readonly #patience: Patience;
  readonly #opener: Opener;
  readonly #moves: CursorMoves;
  readonly #givingUp: GivingUp;

  constructor(parts: CursorEngineParts, script: Uint32Array) {
    this.#index = parts.index;
    this.#progress = parts.progress;
    this.#gate = parts.gate;
    const floods = parts.options.release.type === "flood";
    this.opens = floods || parts.options.order === "connection";
    this.script = script;
    this.#main = new Cursor(noEnd, script, 0, script.length);
    this.#cursors = new ConnectionCursors(parts.index, parts.progress, this.#ready, floods);
    this.#opener = new Opener(parts, this.#cursors);
    const { release, patienceMs } = parts.options;
    this.#clock = new OwnClock(parts.index, parts.progress, script, speedOf(release));
    this.#pace = new RecordedPace(parts.index, release);
    this.#patience = new Patience(parts.index, parts.gate, this.#clock, patienceMs);
    const [main, cursors, pace, patience] = [this.#main, this.#cursors, this.#pace, this.#patience];
    this.#moves = new CursorMoves(parts, main, cursors, pace, patience, this.opens);
    this.#givingUp = new GivingUp(parts, main, cursors, this.#moves, patience);
    this.#ready.add(this.#main);
  }

  /** The number of events that the cursors have passed. */
  get played(): number {
    return this.#moves.played;
  }

  /** The main cursor's position in the script. */
  get at(): number {
    return this.#main.at;
  }

  get isDone(): boolean {
    return this.#main.state === "over" && this.#cursors.areAllStalled;
  }

  next(nowMs: number): Step {
    this.#begin(nowMs);
    for (;;) {
      const cursor = this.#ready.take();
      if (cursor !== undefined) {
        if (cursor.state === "ready" && this.#step(cursor))
          return this.#answer.set("deliver", cursor.event);
      } else if (this.#due.earliestMs <= nowMs) {
        const due = this.#due.take();
        if (due !== undefined) this.#cursors.wake(due);
      } else if (this.#patience.atMs <= nowMs) this.#givingUp.giveUpOverdue(nowMs);
      else return this.#rest();
    }
  }

  /** Part of a delivery was taken. This is movement, but not an act of the process. */
  moved(): void {
    this.#patience.noteMove();
  }

  /** Another live process caused something at this end; {@link noEnd} for a packet. */
  arrived(end: EndId = noEnd): void {
    this.#patience.noteMove();
    this.#wakeWaiting(end);
  }

  /** The live process acted at this end; {@link noEnd} for a packet. */
  acted(end: EndId): void {
    this.#patience.noteDeed();
    this.#wakeWaiting(end);
  }

  /** The live process did something at this end that the recording does not have. */
  strayed(end: EndId): void {
    this.#wakeWaiting(end);
  }

  /** The connection at this end was accepted. A kernel accepts even for a process that hangs. */
  accepted(end: EndId): void {
    this.#cursors.resumeLate(end, this.#nowMs);
    this.arrived(end);
  }

  #wakeWaiting(end: EndId): void {
    const cursor = this.#cursorOf(end);
    if (cursor.state === "waiting") this.#cursors.wake(cursor);
  }

  /** The live process connected this end. */
  connected(end: EndId): void {
    if (this.opens && this.#progress.playing(end) === Playing.inOrder) {
      const from = this.#index.connections.from(connectionOf(end));
      this.#cursors.start(end, from, this.#nowMs, { waited: true });
      if (this.#main.state === "waiting") this.#cursors.wake(this.#main);
    } else this.#cursors.resumeLate(end, this.#nowMs);
    this.acted(end);
  }

  /** The live process asks for a detached exchange. */
  asked(end: EndId): void {
    const { connections } = this.#index;
    if (this.#cursors.get(end) === undefined) {
      const counts = !this.isPast(this.#cursors.places.firstOf(connectionOf(end)));
      const state = { counts, isLoose: true, waited: true };
      this.#cursors.start(end, connections.from(connectionOf(end)), this.#nowMs, state);
    }
    this.acted(endOf(connections.originOf(connectionOf(end)), Direction.toServer));
  }

  /** The live connection at the end `left` is that of `end`, and has got to the position `from`. */
  rematched(left: EndId, end: EndId, from: number): void {
    this.#cursors.abandon(left);
    const counts = this.#progress.takeLate(end) === undefined;
    if (counts) this.#moves.skip(from - this.#index.connections.from(connectionOf(end)));
    this.#cursors.start(end, from, this.#nowMs, { counts, isLoose: true, waited: true });
    if (this.#main.state === "waiting") this.#cursors.wake(this.#main);
    this.acted(end);
  }

  /** Whether the cursor that plays `event` to its client, or waits for that client, is past it. */
  isPast(event: EventNumber): boolean {
    const end = endOf(this.#index.connection(event), Direction.toServer);
    const cursor = this.#cursors.get(end);
    if (!cursor && this.opens) return this.#progress.playing(end) !== Playing.inOrder;
    return (cursor ?? this.#main).isPast(event);
  }

  /** Takes this end out of the common order, unless the main cursor is delivering to it. */
  loosen(end: EndId): void {
    const isLoose = this.#cursors.loosen(end, this.#main, this.#nowMs);
    if (isLoose && this.#main.state === "waiting") this.#cursors.wake(this.#main);
  }

  /** Nothing more can be delivered at this end. */
  broke(end: EndId): void {
    for (const cursor of [this.#main, this.#cursors.get(end)])
      if (cursor?.isBusy && this.#gate.receiverEnd(cursor.event) === end)
        this.#cursors.wake(cursor);
    this.acted(end);
  }

  /** The driver has delivered `event` at this end; {@link noEnd} for a packet. */
  delivered(end: EndId, event: EventNumber): void {
    this.#patience.noteMove();
    const cursor = this.#cursorOf(end);
    if (!cursor.isBusy || cursor.event !== event) return;
    this.#moves.pass(cursor);
    this.#cursors.wake(cursor);
  }

  /** The process of this container is gone, so nothing more happens to it. */
  gone(container: ContainerIndex): void {
    for (const cursor of [this.#main, ...this.#cursors.all()]) {
      const isAnothers = cursor.isBusy && this.#index.receiver(cursor.event) !== container;
      if (cursor.state !== "over" && !isAnothers) this.#cursors.wake(cursor);
    }
  }

  #begin(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#startMs === undefined) {
      this.#startMs = nowMs;
      this.#main.clockMs = nowMs;
      this.#clock.start(nowMs);
    }
    this.#patience.setTime(nowMs, this.#progress.departures);
  }

  #rest(): Step {
    if (this.isDone) return this.#answer.set("done", noEvent);
    const untilMs = Math.min(this.#due.earliestMs, this.#patience.atMs);
    const isMain = this.#main.state !== "over" && this.#main.state !== "following";
    const waiting = isMain ? this.#main : this.#cursors.first();
    return this.#answer.set("wait", waiting?.event ?? noEvent, untilMs);
  }

  /** The cursor that plays to an end; {@link noEnd} stands for packets. */
  #cursorOf(end: EndId): Cursor {
    return this.#cursors.get(end) ?? this.#main;
  }

  /** Advances the cursor until it blocks. Returns true if its event is to be delivered now. */
  #step(cursor: Cursor): boolean {
    while (!cursor.isAtEnd) {
      const { event } = cursor;
      if (cursor === this.#main && this.opens && this.#opener.mustFollowTo(event)) {
        cursor.state = "following";
        return false;
      }
      if (this.#moves.isOpener(cursor, event)) {
        if (!this.#open(event)) return false;
      } else if (!this.#hasHappened(cursor, event)) return false;
      else if (this.#gate.mayDeliver(cursor, event)) {
        if (!this.#gate.mustSettle(cursor, event)) return this.#deliver(cursor);
        cursor.settle();
        continue;
      }
      this.#moves.pass(cursor);
    }
    this.#finish(cursor);
    return false;
  }

  /** Whether a connection's own cursor has yet to reach `event`. */
  isBehind(event: EventNumber): boolean {
    return this.opens && this.#cursors.isBehind(event);
  }

  #hasHappened(cursor: Cursor, event: EventNumber): boolean {
    if (this.#gate.mustWait(cursor, event)) {
      if (!this.#gate.isGone(this.#index.sender(event))) {
        this.#moves.block(cursor, "waiting", this.#nowMs);
        return false;
      }
      this.#gate.giveUp(event, gone);
    }
    if (cursor.waited) {
      cursor.clockMs = this.#nowMs;
      cursor.clockNs = this.#index.timeNs(event);
      cursor.waited = false;
    }
    return true;
  }

  #deliver(cursor: Cursor): boolean {
    const dueMs = this.#pace.dueMs(cursor, this.#main);
    if (dueMs > this.#nowMs) {
      cursor.dueMs = dueMs;
      cursor.state = "due";
      this.#due.add(cursor);
      return false;
    }
    this.#pace.keep(cursor, dueMs, this.#nowMs);
    this.#moves.block(cursor, "delivering", this.#nowMs);
    return true;
  }

  /** Starts or awaits the connections at `event`. Returns whether this is done. */
  #open(event: EventNumber): boolean {
    for (;;) {
      const { type, end } = this.#opener.ask(event);
      if (type === "pass") return true;
      if (type === "start")
        this.#cursors.start(end, this.#cursors.places.placeOf(event), this.#startMs ?? this.#nowMs);
      else if (type === "follow") {
        this.#main.state = "following";
        return false;
      } else if (!this.#moves.giveUpIfGone(this.#cursors.places.firstOf(connectionOf(end)))) {
        this.#moves.block(this.#main, "waiting", this.#nowMs);
        return false;
      }
    }
  }

  #finish(cursor: Cursor): void {
    if (cursor.pass === "deliver") {
      cursor.settle();
      this.#ready.add(cursor);
    } else {
      cursor.state = "over";
      this.#cursors.drop(cursor.end);
    }
    this.#moves.wakeFollower();
  }
}
