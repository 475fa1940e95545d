/** A place in a list of events, and what is being waited for there. */

/**
 * `ready`: to be looked at. `due`: its time has not come. `waiting`: for the live process. `delivering`:
 * the driver is at it. `following`: for another cursor. `stalled`: what is delivered is not taken; given
 * up. `over`: nothing is left.
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
  /** The end that it plays to alone; -1: it plays to all that nobody plays to alone. */
  readonly end: number;
  state: CursorState = "ready";
  /** Whether its events count as played: not if they were counted when they were given up. */
  counts = true;
  /** Whether it is in the queue of those to be looked at. */
  queued = false;
  /** It had to wait for the live process, so what happens now happens at this moment. */
  waited = false;
  /** Since when it waits. */
  sinceMs = 0;
  /** The event that it has been waiting for since then; -1 for none. */
  waitsFor = -1;
  /** Until when it waits, if it is `due`. */
  dueMs = 0;
  /** When the last event that it waited for or delivered happened now, and when it had happened. */
  clockMs = 0;
  clockNs = 0;
  /** When the event before this one had happened, whoever played it. */
  previousNs = 0;
  /** A flood's cursor delivers first, and then waits: see cursor-engine.ts. */
  pass: "both" | "deliver" | "settle" = "both";
  /** Before this place everything was delivered the first time. */
  #deliveredTo = 0;
  readonly #events: Uint32Array;
  readonly #from: number;
  readonly #to: number;
  #at: number;

  /** Over `events[from]` to `events[to - 1]`. */
  constructor(end: number, events: Uint32Array, from: number, to: number) {
    this.end = end;
    this.#events = events;
    this.#from = from;
    this.#to = to;
    this.#at = from;
  }

  /** Where it stands in its list. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#to;
  }

  /** The event it stands before. It must not be at the end. */
  get event(): number {
    return this.#events[this.#at] as number;
  }

  /** Whether `event` is behind it. */
  isPast(event: number): boolean {
    return this.isAtEnd || this.event > event;
  }

  /** Whether its event is the driver's to deliver. */
  get isBusy(): boolean {
    return this.state === "delivering" || this.state === "stalled";
  }

  /** Whether nobody needs to wait until it is over. */
  get isLeft(): boolean {
    return this.state === "stalled" || this.state === "over";
  }

  advance(): void {
    this.waitsFor = -1;
    this.#at++;
    this.waited = false;
  }

  /** Goes back to wait for what the process still has to do. From here on it delivers, too. */
  settle(): void {
    this.pass = "settle";
    this.#deliveredTo = this.#at;
    this.#at = this.#from;
    this.previousNs = Infinity;
  }

  /** Whether it was here before. */
  get isRepeating(): boolean {
    return this.#at < this.#deliveredTo;
  }
}

/** So many entries of a queue may be done with before they are dropped. */
const spentEntries = 4096;

/** Cursors that are to be looked at, first come, first served. */
export class ReadyQueue {
  /** The entries from `#from` up to `#to`; those behind keep the memory from being asked for again. */
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

/** Cursors that are due at some time: a binary heap, the earliest on top. */
export class DueQueue {
  readonly #times: number[] = [];
  readonly #cursors: Cursor[] = [];

  /** When the earliest is due. */
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

  /** The earliest, if it still is what it was added as; it may have been woken in between. */
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
