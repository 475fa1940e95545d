/**
 * How long a cursor waits before what stands in its way is given up: as long as there was a gap in the
 * recording, and the patience on top, while nothing moves for the process.
 *
 * Patience wears thin. An end that something was given up for gets half as much each time, so that a
 * stream that went its own way for good delays the replay by twice the patience in all. And when some
 * things in a row were given up and the process did nothing at all in between, everything gets less, so
 * that a process that hangs delays by a few patiences however much it leaves undone: what is left is
 * played to it in the recorded timing.
 *
 * A process that has done nothing yet is starting, which takes as long as the machine is busy. It is given
 * as long as it had from the start of the recording, and the patience on top.
 *
 * A process that went astray but is busy (a cluster's member that dials and beats its heart) does not
 * hang, and would be waited for again and again. So waits in vain are added up, and what they cost
 * halves the patience as well; movement postpones one wait only so many times, and what is sent on a
 * stream that has differed does not count as movement. (An etcd member whose peers are played took 12 s
 * for its first wait otherwise: its heart beats on all the connections that went astray.)
 */
import type { Cursor } from "./cursor.ts";
import type { Gate } from "./gate.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** So many things in a row get the whole patience. */
const fullTimes = 4;
/** Waits in vain that cost so many patiences in all halve it once. */
const costOfHalving = 2;
/** While anything moves, a wait takes so many patiences at the most. */
const mostPostponed = 5;
/** How often it is halved at the most. */
const mostHalvings = 8;

export class Patience {
  /** Before this nothing is to be given up. It is looked at then; it may turn out to be later. */
  atMs: number = Infinity;
  readonly #index: RecordingIndex;
  readonly #gate: Gate;
  readonly #patienceMs: number;
  #hasMoved = true;
  #movedMs = 0;
  #startMs = -1;
  /** The process has done nothing yet, and nothing was given up for it. */
  #isStarting = true;
  /** How much was given up since the process last did anything. */
  #inVain = 0;
  /** What all waits in vain have cost, in milliseconds. */
  #costMs = 0;

  constructor(index: RecordingIndex, gate: Gate, patienceMs: number) {
    this.#index = index;
    this.#gate = gate;
    this.#patienceMs = patienceMs;
  }

  /** Something moved. The time of that is told by {@link setTime}. */
  noteMove(): void {
    this.#hasMoved = true;
  }

  /** The process did something. */
  noteDeed(): void {
    this.#hasMoved = true;
    this.#isStarting = false;
    this.#inVain = 0;
  }

  /** Something was given up after a wait of `waitedMs`. */
  noteGiveUp(waitedMs: number): void {
    this.#isStarting = false;
    this.#inVain++;
    this.#costMs += waitedMs;
  }

  setTime(nowMs: number): void {
    if (this.#startMs === -1) this.#startMs = nowMs;
    if (this.#hasMoved) this.#movedMs = nowMs;
    this.#hasMoved = false;
  }

  /** The cursor began to wait, or waits still. */
  watch(cursor: Cursor): void {
    this.atMs = Math.min(this.atMs, this.endMs(cursor));
  }

  /** When patience with this cursor ends if nothing moves. */
  endMs(cursor: Cursor): number {
    const { event } = cursor;
    const gapNs = Math.max(0, this.#index.timeNs(event) - cursor.previousNs);
    const giveUps = cursor.state === "waiting" ? this.#gate.giveUps(event) : 0;
    const byCost = Math.floor(this.#costMs / (costOfHalving * this.#patienceMs));
    const wear = Math.max(giveUps, this.#inVain - fullTimes + 1, byCost);
    const patienceMs = this.#patienceMs / 2 ** Math.min(mostHalvings, wear);
    const postponedMs = Math.max(0, this.#movedMs - cursor.sinceMs);
    const sinceMs = cursor.sinceMs + Math.min(postponedMs, mostPostponed * patienceMs);
    const startingMs = this.#isStarting ? this.#startMs + this.#index.timeNs(event) / 1e6 : 0;
    return Math.max(sinceMs + gapNs / 1e6, startingMs) + patienceMs;
  }
}
