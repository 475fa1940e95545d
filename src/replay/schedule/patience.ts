/**
 * Decides how long a cursor waits before the engine gives up its event. An event is overdue once
 * three conditions hold: the wait has lasted as long as the recorded gap, nothing moves for the
 * process, and the process's own clock (own-clock.ts) has passed the recorded time. The patience
 * comes on top.
 *
 * Patience wears off in three ways:
 *
 * - Each event given up at an end halves the patience for that end. A stream that has diverged for
 *   good therefore delays the replay by twice the patience in total.
 * - When several events in a row were given up and the process did nothing in between, the patience
 *   halves for every event. A process that hangs therefore delays the replay by a few patiences,
 *   however much it leaves undone. The rest is played to it with the recorded timing.
 * - A process that diverged but stays busy (a cluster member that dials and sends heartbeats) does
 *   not hang, and would make the replay wait again and again. So the cost of futile waits is added
 *   up, and this sum halves the patience as well. While a connection of a loose pool is awaited,
 *   all others go on, so such a wait costs only the time in which nothing moved.
 *
 * Movement postpones the end of one wait only up to a limit, and bytes on a diverged stream do not
 * count as movement. (Otherwise the first wait for an etcd member with played peers takes 12 s,
 * because it sends heartbeats on all its diverged connections.)
 */
import type { EventNumber } from "../../base/ids.ts";
import type { Cursor } from "./cursor.ts";
import type { Gate } from "./gate.ts";
import type { Wait } from "../findings/wait.ts";
import type { OwnClock } from "./own-clock.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** The first events in a row that are given up get the whole patience. */
const fullTimes = 4;
/** Futile waits that together cost this many patiences halve it once. */
const costOfHalving = 2;
/** Movement postpones the end of a wait by at most this many patiences. */
const mostPostponed = 5;
/** How often to look for events that a process has passed, at most. */
const looksPerPatience = 8;
/** After this many halvings the patience is zero. */
const halvingsToNothing = 8;

/** A cursor whose patience has ended, and the reason for its wait. */
export interface EndedWait {
  readonly cursor: Cursor;
  readonly wait: Wait;
}

export class Patience {
  /** No patience ends before this time. It is a lower bound: the engine checks the cursors then. */
  atMs: number = Infinity;
  readonly #index: RecordingIndex;
  readonly #gate: Gate;
  readonly #clock: OwnClock;
  readonly #patienceMs: number;
  #hasMoved = true;
  #movedMs = 0;
  #nowMs = 0;
  #startMs: number | undefined;
  #departures = 0;
  /** How many times in a row events were given up since the process last acted. */
  #inVain = 0;
  /** The total time of futile waits, counted from when their events were overdue. */
  #costMs = 0;
  /** The last act of the process on a loose connection: its recorded time, and the time now. */
  #apart = { timeNs: -Infinity, atMs: 0 };

  constructor(index: RecordingIndex, gate: Gate, clock: OwnClock, patienceMs: number) {
    this.#index = index;
    this.#gate = gate;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Notes movement. {@link setTime} supplies its time. */
  noteMove(): void {
    this.#hasMoved = true;
  }

  /** Notes an act of the process. */
  noteDeed(): void {
    this.#hasMoved = true;
    this.#inVain = 0;
  }

  /**
   * Notes an act on a loose connection, by its recorded time. It shows where the process is: what
   * it did later in the recording is not overdue yet, and what it did before is overdue soon,
   * although the process moves.
   */
  noteApart(timeNs: number): void {
    if (timeNs <= this.#apart.timeNs) return;
    this.#apart = { timeNs, atMs: this.#nowMs };
    this.atMs = Math.min(this.atMs, this.#nowMs + this.#patienceMs / looksPerPatience);
  }

  /**
   * Sets the current time. A process that departs loses its clock's credit, so its events may be
   * overdue sooner.
   */
  setTime(nowMs: number, departures: number): void {
    this.#nowMs = nowMs;
    this.#startMs ??= nowMs;
    if (departures > this.#departures) this.atMs = nowMs;
    this.#departures = departures;
    if (this.#hasMoved) this.#movedMs = nowMs;
    this.#hasMoved = false;
  }

  /** Notes that the cursor waits. */
  watch(cursor: Cursor): void {
    this.atMs = Math.min(this.atMs, this.#endMs(cursor));
  }

  /** Returns the cursors whose patience has ended, and finds out when the next one may end. */
  takeEnded(cursors: Iterable<Cursor>): readonly EndedWait[] {
    this.atMs = Infinity;
    const ended: EndedWait[] = [];
    let costMs = 0;
    let isVain = false;
    for (const cursor of cursors) {
      if (cursor.state !== "waiting" && cursor.state !== "delivering") continue;
      if (this.#endMs(cursor) <= this.#nowMs) {
        ended.push({ cursor, wait: this.#explain(cursor) });
        if (this.#isPassed(cursor)) continue;
        isVain = true;
        costMs = Math.max(costMs, this.#nowMs - this.#idleSinceMs(cursor));
      } else this.watch(cursor);
    }
    if (isVain) {
      this.#inVain++;
      this.#costMs += costMs;
    }
    return ended;
  }

  #explain(cursor: Cursor): Wait {
    const isPassed = this.#isPassed(cursor);
    const byClock = isPassed || this.#clockMs(cursor) > cursor.sinceMs + this.#gapMs(cursor);
    const startMs = this.#startMs ?? this.#nowMs;
    const clockMs = isPassed
      ? this.#index.timeNs(cursor.event) / 1e6
      : this.#clockMs(cursor) - startMs;
    return {
      rule: byClock ? "clock" : "gap",
      waitedMs: this.#nowMs - cursor.sinceMs,
      recordedMs: byClock ? clockMs : this.#gapMs(cursor),
      patienceMs: this.#patienceWith(cursor),
    };
  }

  /** When patience with this cursor ends if nothing more moves. */
  #endMs(cursor: Cursor): number {
    const patienceMs = this.#patienceWith(cursor);
    if (this.#isPassed(cursor)) return this.#apartMs(cursor.event) + patienceMs;
    const postponedMs = Math.max(0, this.#movedMs - cursor.sinceMs);
    const movingMs = cursor.sinceMs + Math.min(postponedMs, mostPostponed * patienceMs);
    return Math.max(movingMs + this.#gapMs(cursor), this.#clockMs(cursor)) + patienceMs;
  }

  /** When the cursor's event became overdue. */
  #overdueMs(cursor: Cursor): number {
    return Math.max(cursor.sinceMs + this.#gapMs(cursor), this.#clockMs(cursor));
  }

  /** Since when the wait has cost time. */
  #idleSinceMs(cursor: Cursor): number {
    const overdueMs = this.#overdueMs(cursor);
    return cursor.isLoose ? Math.max(overdueMs, this.#movedMs) : overdueMs;
  }

  #gapMs(cursor: Cursor): number {
    return Math.max(0, this.#index.timeNs(cursor.event) - cursor.previousNs) / 1e6;
  }

  #clockMs({ state, event }: Cursor): number {
    if (state !== "waiting") return this.#clock.readMs(event);
    return Math.max(this.#clock.doneMs(event), this.#apartMs(event));
  }

  /** When the process comes to `event`, judging by its last act on a loose connection. */
  #apartMs(event: EventNumber): number {
    const { timeNs, atMs } = this.#apart;
    return timeNs === -Infinity ? -Infinity : atMs + (this.#index.timeNs(event) - timeNs) / 1e6;
  }

  /**
   * Whether a process that has departed did something on a loose connection that came after the
   * event. As long as it follows the recording, the event may still come: a pool has no order.
   */
  #isPassed({ state, event }: Cursor): boolean {
    const isBefore = this.#index.timeNs(event) < this.#apart.timeNs;
    return isBefore && state === "waiting" && this.#clock.isLost(event);
  }

  #patienceWith({ state, event }: Cursor): number {
    const giveUps = state === "waiting" ? this.#gate.giveUps(event) : 0;
    const byCost = Math.floor(this.#costMs / (costOfHalving * this.#patienceMs));
    const halvings = Math.max(giveUps, this.#inVain - fullTimes + 1, byCost);
    return halvings < halvingsToNothing ? this.#patienceMs / 2 ** Math.max(0, halvings) : 0;
  }
}
