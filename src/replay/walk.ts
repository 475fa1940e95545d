/**
 * How a recording is gone through for a live process: pure.
 *
 * A cursor goes through the process's script. Before an event by the process it waits until that has
 * happened now; an event to the process it has delivered, and goes on when that is done. So an event
 * happens to the process once all is done that stands before it, and that is all there is to causality.
 *
 * What stands in the way for too long while nothing moves is given up, and from then on it is as if it
 * were done. A connection that was given up, or on which the process takes nothing, leaves the common
 * order; if it comes after all, a cursor of its own (a strand) plays it from where it was left.
 *
 * With the order `connection` every connection is a strand, and the cursor only opens them: one that
 * began after another was over, in the recording, begins after that is over. `flood` is the same with
 * strands that wait for nothing but that there is a connection; in a second pass, when all is delivered,
 * they wait for what the process still has to send, and so give it the patience to finish.
 */
import { Direction } from "../base/direction.ts";
import { RecordKind } from "../dump/schema.ts";
import { Cursor, DueQueue, ReadyQueue } from "./cursor.ts";
import type { Gate } from "./gate.ts";
import type { Judge } from "./judge.ts";
import { Opener } from "./opener.ts";
import { Patience } from "./patience.ts";
import { Playing, type Progress } from "./progress.ts";
import type { RecordingIndex } from "./recording.ts";
import { Strands } from "./strands.ts";
import type { ScheduleOptions, Turn } from "./turn.ts";

/** With `speed`, how far a delivery may be late and still not delay those after it. */
const catchUpMs = 50;

/** What a walk works with. */
export interface WalkParts {
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly judge: Judge;
  readonly gate: Gate;
  readonly options: ScheduleOptions;
}

export class Walk {
  readonly script: Uint32Array;
  /** Whether every connection is a strand, and the main cursor only opens them. */
  readonly opens: boolean;
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #judge: Judge;
  readonly #gate: Gate;
  readonly #options: ScheduleOptions;
  readonly #main: Cursor;
  readonly #strands: Strands;
  readonly #ready = new ReadyQueue();
  readonly #due = new DueQueue();
  readonly #turn: { type: Turn["type"]; event: number; untilMs: number };
  #played = 0;
  #nowMs = 0;
  #startMs = -1;
  readonly #patience: Patience;
  readonly #opener: Opener;

  constructor(parts: WalkParts, script: Uint32Array) {
    this.#index = parts.index;
    this.#progress = parts.progress;
    this.#judge = parts.judge;
    this.#gate = parts.gate;
    this.#options = parts.options;
    this.opens = this.#floods || parts.options.order === "connection";
    this.script = script;
    this.#main = new Cursor(-1, script, 0, script.length);
    this.#strands = new Strands(parts.index);
    this.#opener = new Opener(parts.index, parts.progress, parts.gate, this.#strands);
    this.#patience = new Patience(parts.index, parts.gate, parts.options.patienceMs);
    this.#ready.add(this.#main);
    this.#turn = { type: "wait", event: -1, untilMs: Infinity };
  }

  /** How many events are behind. */
  get played(): number {
    return this.#played;
  }

  /** Where the main cursor stands in the script. */
  get at(): number {
    return this.#main.at;
  }

  get isDone(): boolean {
    return this.#main.state === "over" && this.#strands.areAllStalled;
  }

  next(nowMs: number): Turn {
    this.#begin(nowMs);
    for (;;) {
      const cursor = this.#ready.take();
      if (cursor !== undefined) {
        if (cursor.state === "ready" && this.#step(cursor))
          return this.#say("deliver", cursor.event);
      } else if (this.#due.earliestMs <= nowMs) {
        const due = this.#due.take();
        if (due !== undefined) this.#wake(due);
      } else if (this.#patience.atMs <= nowMs) this.#endPatience();
      else return this.#rest();
    }
  }

  /** Something moved that is nobody's deed: a part of a delivery was taken. */
  moved(): void {
    this.#patience.noteMove();
  }

  /** A packet came from another live process. */
  arrived(): void {
    this.#patience.noteMove();
    this.#wakeWaiting(-1);
  }

  /** The live process did something at this end; -1: it sent a packet. */
  acted(end: number): void {
    this.#patience.noteDeed();
    this.#wakeWaiting(end);
  }

  /** The live process did something at this end that the recording does not have. */
  strayed(end: number): void {
    this.#wakeWaiting(end);
  }

  /** The connection at this end was accepted, which kernels do for processes that hang, too. */
  accepted(end: number): void {
    this.#cameLate(end);
    this.#patience.noteMove();
    this.#wakeWaiting(end);
  }

  #wakeWaiting(end: number): void {
    const cursor = this.#cursorOf(end);
    if (cursor.state === "waiting") this.#wake(cursor);
  }

  /** The live process connected this end. */
  connected(end: number): void {
    if (this.opens && this.#progress.playing(end) === Playing.inOrder) {
      const strand = this.#startStrand(end, this.#index.connections.from(end >> 1));
      strand.waited = true;
      if (this.#main.state === "waiting") this.#wake(this.#main);
    } else this.#cameLate(end);
    this.acted(end);
  }

  /** If the end had been given up, it is played from where it was left. */
  #cameLate(end: number): void {
    const event = this.#progress.takeLate(end);
    if (event === undefined) return;
    const strand = this.#startStrand(end, this.#strands.placeOf(event));
    strand.counts = false;
    strand.waited = true;
  }

  /** Nothing can be delivered at this end any more. */
  broke(end: number): void {
    for (const cursor of [this.#main, this.#strands.get(end)])
      if (cursor?.isBusy && this.#gate.receiverEnd(cursor.event) === end) this.#wake(cursor);
    this.acted(end);
  }

  /** `event` has happened at this end; -1 for a packet. */
  delivered(end: number, event: number): void {
    this.#patience.noteMove();
    const cursor = this.#cursorOf(end);
    if (!cursor.isBusy || cursor.event !== event) return;
    this.#pass(cursor, event);
    this.#wake(cursor);
  }

  /** Nothing happens at this container any more. */
  gone(container: number): void {
    for (const cursor of [this.#main, ...this.#strands.all()]) {
      if (cursor.state === "over") continue;
      if (cursor.isBusy && this.#index.receiver(cursor.event) !== container) continue;
      this.#wake(cursor);
    }
  }

  get #floods(): boolean {
    return this.#options.release.type === "flood";
  }

  #begin(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#startMs === -1) {
      this.#startMs = nowMs;
      this.#main.clockMs = nowMs;
    }
    this.#patience.setTime(nowMs);
  }

  #say(type: Turn["type"], event: number, untilMs = Infinity): Turn {
    this.#turn.type = type;
    this.#turn.event = event;
    this.#turn.untilMs = untilMs;
    return this.#turn;
  }

  #rest(): Turn {
    if (this.isDone) return this.#say("done", -1);
    const untilMs = Math.min(this.#due.earliestMs, this.#patience.atMs);
    const isMain = this.#main.state !== "over" && this.#main.state !== "following";
    const waiting = isMain ? this.#main : this.#strands.first();
    return this.#say("wait", waiting?.event ?? -1, untilMs);
  }

  /** Who plays to an end; -1: packets. */
  #cursorOf(end: number): Cursor {
    return this.#strands.get(end) ?? this.#main;
  }

  #wake(cursor: Cursor): void {
    if (cursor.state === "stalled") this.#strands.stalled--;
    cursor.state = "ready";
    this.#ready.add(cursor);
  }

  /** Takes the cursor as far as it goes. True if it has an event to be delivered now. */
  #step(cursor: Cursor): boolean {
    while (!cursor.isAtEnd) {
      const { event } = cursor;
      if (this.#isOpener(cursor, event)) {
        if (!this.#open(event)) return false;
      } else if (!this.#hasHappened(cursor, event)) return false;
      else if (this.#gate.mayDeliver(cursor, event)) return this.#deliver(cursor, event);
      this.#pass(cursor, event);
    }
    this.#finish(cursor);
    return false;
  }

  /** Whether the cursor is only to open connections here. Packets it plays in any case. */
  #isOpener(cursor: Cursor, event: number): boolean {
    return this.opens && cursor === this.#main && this.#index.kind(event) !== RecordKind.packet;
  }

  #hasHappened(cursor: Cursor, event: number): boolean {
    if (this.#gate.mustWait(cursor, event)) {
      if (!this.#gate.isGone(this.#index.sender(event))) {
        this.#block(cursor, "waiting");
        return false;
      }
      this.#gate.giveUp(event);
    }
    if (cursor.waited) {
      cursor.clockMs = this.#nowMs;
      cursor.clockNs = this.#index.timeNs(event);
      cursor.waited = false;
    }
    return true;
  }

  #deliver(cursor: Cursor, event: number): boolean {
    const dueMs = this.#dueMs(cursor, event);
    if (dueMs > this.#nowMs) {
      cursor.dueMs = dueMs;
      cursor.state = "due";
      this.#due.add(cursor);
      return false;
    }
    cursor.clockMs = Math.max(dueMs, this.#nowMs - catchUpMs);
    this.#block(cursor, "delivering");
    return true;
  }

  #dueMs(cursor: Cursor, event: number): number {
    const { release } = this.#options;
    if (release.type !== "speed") return -Infinity;
    const gapNs = Math.max(0, this.#index.timeNs(event) - cursor.clockNs);
    return cursor.clockMs + gapNs / 1e6 / release.factor;
  }

  #block(cursor: Cursor, state: "waiting" | "delivering"): void {
    // It may have been woken by what was not what it waits for: then it has waited for all the time.
    if (cursor.waitsFor !== cursor.event) cursor.sinceMs = this.#nowMs;
    cursor.state = state;
    cursor.waitsFor = cursor.event;
    if (state === "waiting") cursor.waited = true;
    this.#patience.watch(cursor);
  }

  /** The event is behind. */
  #pass(cursor: Cursor, event: number): void {
    const timeNs = this.#index.timeNs(event);
    if (!this.#isOpener(cursor, event)) {
      const isPlayed = this.#gate.concerns(cursor, event);
      if (isPlayed) cursor.clockNs = timeNs;
      if (cursor.counts && (isPlayed || !this.#gate.isPlayedApart(event))) this.#played++;
    }
    if (cursor === this.#main) this.#gate.pass(event);
    cursor.previousNs = timeNs;
    cursor.advance();
  }

  /** Opens what begins here and waits for what is over here. Whether that is done. */
  #open(event: number): boolean {
    for (;;) {
      const { type, end } = this.#opener.ask(event);
      if (type === "pass") return true;
      if (type === "start")
        this.#startStrand(end, this.#strands.placeOf(event)).clockMs = this.#startMs;
      else if (type === "follow") {
        this.#main.state = "following";
        return false;
      } else if (!this.#giveUpIfGone(this.#strands.firstOf(end >> 1))) {
        this.#block(this.#main, "waiting");
        return false;
      }
    }
  }

  #giveUpIfGone(connect: number): boolean {
    const isGone = this.#gate.isGone(this.#index.sender(connect));
    if (isGone) this.#giveUpConnect(connect);
    return isGone;
  }

  #giveUpConnect(connect: number): void {
    const connection = this.#index.connection(connect);
    this.#played += this.#strands.lengthOf(connection);
    this.#gate.giveUp(connect);
  }

  #startStrand(end: number, from: number): Cursor {
    const strand = this.#strands.start(end, from);
    if (this.#floods) strand.pass = "deliver";
    strand.clockMs = this.#nowMs;
    this.#progress.play(end, Playing.apart);
    this.#ready.add(strand);
    return strand;
  }

  #finish(cursor: Cursor): void {
    if (cursor.pass === "deliver" && this.#canSettle(cursor.end)) {
      cursor.pass = "settle";
      cursor.rewind();
      this.#ready.add(cursor);
    } else {
      cursor.state = "over";
      this.#strands.drop(cursor.end);
    }
    if (this.#main.state === "following") this.#wake(this.#main);
  }

  /** A process whose connection was reset has nothing more to send on it. */
  #canSettle(end: number): boolean {
    const other = (end & 1) === 0 ? Direction.toClient : Direction.toServer;
    return !this.#index.connections.hasReset(end >> 1, other);
  }

  /** Gives up what was waited for too long, and looks when the next patience may end. */
  #endPatience(): void {
    this.#patience.atMs = Infinity;
    let waitedMs = -1;
    for (const cursor of [this.#main, ...this.#strands.all()]) {
      if (!this.#hasPatienceEnded(cursor)) continue;
      waitedMs = Math.max(waitedMs, this.#nowMs - cursor.sinceMs);
      this.#giveUp(cursor);
    }
    if (waitedMs >= 0) this.#patience.noteGiveUp(waitedMs);
  }

  #hasPatienceEnded(cursor: Cursor): boolean {
    if (cursor.state !== "waiting" && cursor.state !== "delivering") return false;
    if (this.#patience.endMs(cursor) <= this.#nowMs) return true;
    this.#patience.watch(cursor);
    return false;
  }

  #giveUp(cursor: Cursor): void {
    if (cursor.state === "delivering") return this.#leave(cursor);
    const { event } = cursor;
    if (this.#isOpener(cursor, event))
      this.#giveUpConnect(this.#strands.firstOf(this.#index.connection(event)));
    else this.#gate.giveUp(event);
    this.#wake(cursor);
  }

  /** The process does not take what is being delivered: that is played apart, or else given up. */
  #leave(cursor: Cursor): void {
    const { event } = cursor;
    if (this.#index.kind(event) === RecordKind.packet) return this.delivered(-1, event);
    this.#judge.stuck(event);
    if (cursor !== this.#main) {
      cursor.state = "stalled";
      this.#strands.stalled++;
      if (this.#main.state === "following") this.#wake(this.#main);
      return;
    }
    const strand = this.#startStrand(this.#gate.receiverEnd(event), this.#strands.placeOf(event));
    this.#block(strand, "delivering");
    this.#pass(cursor, event);
    this.#wake(cursor);
  }
}
