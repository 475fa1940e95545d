/**
 * A cursor: a position in a list of events, and what it waits for there. Also the queues of
 * cursors.
 */
import { type EndId, type EventNumber, noEvent } from "../../base/ids.ts";

/**
 * - `ready`: the engine has yet to look at it.
 * - `due`: its delivery time has not come.
 * - `waiting`: it waits for the live process.
 * - `delivering`: the driver is delivering its event.
 * - `following`: it waits for another cursor.
 * - `stalled`: the process did not take the delivery, and the engine gave it up.
 * - `over`: it has passed its last event.
 */
export type CursorState =
  | "ready"
  | "due"
  | "waiting"
  | "delivering"
  | "following"
  | "stalled"
  | "over";

export class Cursor {
  /**
   * The only end that it plays to. {@link noEnd}: it plays to all ends without a cursor of their
   * own.
   */
  readonly end: EndId;
  state: CursorState = "ready";
  /**
   * Whether its events count as played. They do not if they already counted when they were given
   * up.
   */
  counts = true;
  /** Whether it plays a connection of a pool that has left the common order. */
  isLoose = false;
  /** Whether the engine gave up its event. */
  gaveUp = false;
  /** Whether the cursor is in the {@link ReadyQueue}. */
  queued = false;
  /**
   * Whether it had to wait for the live process. The recorded gaps then start anew at its event.
   */
  waited = false;
  /** When it began to wait. */
  sinceMs = 0;
  /** The event that it has waited for since `sinceMs`. */
  waitsFor: EventNumber = noEvent;
  /** When its event is due, if its state is `due`. */
  dueMs = 0;
  /**
   * When the last event that it awaited or delivered happened in this run, and in the recording.
   */
  clockMs = 0;
  clockNs = 0;
  /** The recorded time of the preceding event, whichever cursor played that. */
  previousNs = 0;
  /** Under `flood`, a cursor first delivers and then settles: see cursor-engine.ts. */
  pass: "both" | "deliver" | "settle" = "both";
  /** The first pass delivered everything before this position. */
  #deliveredTo = 0;
  readonly #events: Uint32Array;
  readonly #from: number;
  readonly #to: number;
  #at: number;

  /** Covers `events[from]` to `events[to - 1]`. */
  constructor(end: EndId, events: Uint32Array, from: number, to: number) {
    this.end = end;
    this.#events = events;
    this.#from = from;
    this.#to = to;
    this.#at = from;
  }

  /** Its position in the list. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#to;
  }

  /** The event at its position. The cursor must not be at the end. */
  get event(): number {
    return this.#events[this.#at] as number;
  }

  /** Whether it has passed `event`. */
  isPast(event: EventNumber): boolean {
    return this.isAtEnd || this.event > event;
  }

  /** Whether the driver is to deliver its event. */
  get isBusy(): boolean {
    return this.state === "delivering" || this.state === "stalled";
  }

  /** Whether the other cursors no longer wait for it. */
  get isLeft(): boolean {
    return this.state === "stalled" || this.state === "over";
  }

  advance(): void {
    this.waitsFor = noEvent;
    this.#at++;
    this.waited = false;
    this.gaveUp = false;
  }

  /**
   * Goes back to wait for what the process still has to do. Beyond this position it also delivers.
   */
  settle(): void {
    this.pass = "settle";
    this.#deliveredTo = this.#at;
    this.#at = this.#from;
    this.previousNs = Infinity;
  }

  /** Whether the first pass was here already. */
  get isRepeating(): boolean {
    return this.#at < this.#deliveredTo;
  }
}

/** The queue drops its taken entries once there are this many. */
const spentEntries = 4096;

/** Cursors to look at, first in, first out. */
export class ReadyQueue {
  /** The entries from `#from` up to `#to`. The array keeps taken entries to avoid reallocation. */
  readonly #cursors: Cursor[] = [];
  #from = 0;
  #to = 0;

  add(cursor: Cursor): void {
    if (cursor.queued) return;
    cursor.queued = true;
    this.#cursors[this.#to++] = cursor;
  }

  take(): Cursor | undefined {
    if (this.#from === this.#to) return undefined;
    const cursor = this.#cursors[this.#from++] as Cursor;
    cursor.queued = false;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    else if (this.#from >= spentEntries) this.#drop();
    return cursor;
  }

  #drop(): void {
    this.#cursors.splice(0, this.#from);
    this.#to -= this.#from;
    this.#from = 0;
  }
}

/** Cursors that become due: a binary heap with the earliest on top. */
export class DueQueue {
  readonly #times: number[] = [];
  readonly #cursors: Cursor[] = [];

  /** When the earliest cursor is due. */
  get earliestMs(): number {
    return this.#times[0] ?? Infinity;
  }

  /** Adds a cursor with its `dueMs`. */
  add(cursor: Cursor): void {
    let at = this.#times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= cursor.dueMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = cursor.dueMs;
    this.#cursors[at] = cursor;
  }

  /** Removes and returns the earliest cursor, unless its state changed since it was added. */
  take(): Cursor | undefined {
    const timeMs = this.#times[0];
    const cursor = this.#cursors[0];
    const lastMs = this.#times.pop();
    const last = this.#cursors.pop();
    if (this.#times.length > 0) this.#sink(lastMs as number, last as Cursor);
    return cursor?.state === "due" && cursor.dueMs === timeMs ? cursor : undefined;
  }

  #sink(timeMs: number, cursor: Cursor): void {
    const { length } = this.#times;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const right = this.#times[child + 1];
      if (right !== undefined && right < (this.#times[child] as number)) child++;
      if (timeMs <= (this.#times[child] as number)) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = timeMs;
    this.#cursors[at] = cursor;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#cursors[to] = this.#cursors[from] as Cursor;
  }
}
