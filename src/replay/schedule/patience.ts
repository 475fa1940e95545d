/**
 * How long a cursor waits before it gives up what stands in its way. Something is overdue when it has
 * taken as long as the gap was in the recording, while nothing moves for the process, and the process's
 * own clock (own-clock.ts) has passed its recorded time. The patience comes on top.
 *
 * Patience wears off. An end that something was given up for gets half as much each time, so that a
 * stream that went its own way for good delays the replay by twice the patience in all. When several
 * things in a row were given up and the process did nothing in between, everything gets less, so that
 * a process that hangs delays by a few patiences however much it leaves undone: the rest is played to
 * it in the recorded timing.
 *
 * A process that went astray but is busy (a cluster's member that dials and beats its heart) does not
 * hang, and would be waited for again and again. So waits in vain are added up, and their cost halves
 * the patience as well; movement postpones one wait only so many times, and bytes on a stream that has
 * differed do not count as movement. (An etcd member whose peers are played took 12 s for its first
 * wait otherwise: its heart beats on all the connections that went astray.)
 */
import type { Cursor } from "./cursor.ts";
import type { Gate } from "./gate.ts";
import type { Wait } from "../findings/wait.ts";
import type { OwnClock } from "./own-clock.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** So many things in a row get the whole patience. */
const fullTimes = 4;
/** Waits in vain that cost so many patiences in all halve it once. */
const costOfHalving = 2;
/** While anything moves, a wait takes so many patiences at the most. */
const mostPostponed = 5;
/** What was halved this often is nothing. */
const halvingsToNothing = 8;

/** A cursor whose patience has ended, and what it waited for until then. */
interface EndedWait {
  readonly cursor: Cursor;
  readonly wait: Wait;
}

export class Patience {
  /** Before this nothing is to be given up. It is looked at then; it may turn out to be later. */
  atMs: number = Infinity;
  readonly #index: RecordingIndex;
  readonly #gate: Gate;
  readonly #clock: OwnClock;
  readonly #patienceMs: number;
  #hasMoved = true;
  #movedMs = 0;
  #nowMs = 0;
  #startMs = -1;
  #departures = 0;
  /** How much was given up since the process last did anything. */
  #inVain = 0;
  /** How long things were waited for in vain after they were overdue, in all. */
  #costMs = 0;

  constructor(index: RecordingIndex, gate: Gate, clock: OwnClock, patienceMs: number) {
    this.#index = index;
    this.#gate = gate;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Something moved. {@link setTime} says when. */
  noteMove(): void {
    this.#hasMoved = true;
  }

  /** The process did something. */
  noteDeed(): void {
    this.#hasMoved = true;
    this.#inVain = 0;
  }

  /** When a process departs, it loses the credit of its own clock, so what it does may be overdue sooner. */
  setTime(nowMs: number, departures: number): void {
    this.#nowMs = nowMs;
    if (this.#startMs === -1) this.#startMs = nowMs;
    if (departures > this.#departures) this.atMs = nowMs;
    this.#departures = departures;
    if (this.#hasMoved) this.#movedMs = nowMs;
    this.#hasMoved = false;
  }

  /** The cursor began to wait, or waits still. */
  watch(cursor: Cursor): void {
    this.atMs = Math.min(this.atMs, this.#endMs(cursor));
  }

  /** Returns those of `cursors` whose patience has ended, and looks when the next one may end. */
  takeEnded(cursors: Iterable<Cursor>): readonly EndedWait[] {
    this.atMs = Infinity;
    const ended: EndedWait[] = [];
    let costMs = -1;
    for (const cursor of cursors) {
      if (cursor.state !== "waiting" && cursor.state !== "delivering") continue;
      if (this.#endMs(cursor) <= this.#nowMs) {
        ended.push({ cursor, wait: this.#explain(cursor) });
        costMs = Math.max(costMs, this.#nowMs - this.#overdueMs(cursor));
      } else this.watch(cursor);
    }
    if (ended.length > 0) {
      this.#inVain++;
      this.#costMs += costMs;
    }
    return ended;
  }

  #explain(cursor: Cursor): Wait {
    const byClock = this.#clockMs(cursor) > cursor.sinceMs + this.#gapMs(cursor);
    return {
      rule: byClock ? "clock" : "gap",
      waitedMs: this.#nowMs - cursor.sinceMs,
      recordedMs: byClock ? this.#clockMs(cursor) - this.#startMs : this.#gapMs(cursor),
      patienceMs: this.#patienceWith(cursor),
    };
  }

  /** When patience with this cursor ends if nothing moves. */
  #endMs(cursor: Cursor): number {
    const patienceMs = this.#patienceWith(cursor);
    const postponedMs = Math.max(0, this.#movedMs - cursor.sinceMs);
    const movingMs = cursor.sinceMs + Math.min(postponedMs, mostPostponed * patienceMs);
    return Math.max(movingMs + this.#gapMs(cursor), this.#clockMs(cursor)) + patienceMs;
  }

  /** Since when its event is late. */
  #overdueMs(cursor: Cursor): number {
    return Math.max(cursor.sinceMs + this.#gapMs(cursor), this.#clockMs(cursor));
  }

  #gapMs(cursor: Cursor): number {
    return Math.max(0, this.#index.timeNs(cursor.event) - cursor.previousNs) / 1e6;
  }

  #clockMs({ state, event }: Cursor): number {
    return state === "waiting" ? this.#clock.doneMs(event) : this.#clock.readMs(event);
  }

  #patienceWith({ state, event }: Cursor): number {
    const giveUps = state === "waiting" ? this.#gate.giveUps(event) : 0;
    const byCost = Math.floor(this.#costMs / (costOfHalving * this.#patienceMs));
    const halvings = Math.max(giveUps, this.#inVain - fullTimes + 1, byCost);
    return halvings < halvingsToNothing ? this.#patienceMs / 2 ** Math.max(0, halvings) : 0;
  }
}
