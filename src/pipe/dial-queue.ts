/**
 * The queue of dials to one port, in the order of their clients' SYNs.
 *
 * A listening socket hands out connections in the order in which their handshakes complete. So
 * waiting dials are retried in the order of their SYNs, and a new dial lines up behind them. A dial
 * waits for one of three reasons:
 *
 * - No process listens yet (`--wait-listen`). Only the first dial is retried, at intervals. Once it
 *   is accepted, the others follow at once.
 * - An answer is due. Without links it is there when `connect` returns, but a busy kernel may leave
 *   a SYN in one processor's queue while another processor takes the next SYN. So the next dial
 *   waits a moment.
 * - The backlog was full and the SYN was dropped. Each later SYN from a client first retries the
 *   dials before it. One that had to wait counts as dropped, too, as long as those before it are: a
 *   SYN of plg's own would overtake them if the server accepts just then. A filter may drop the
 *   SYNs of one client alone: once a later dial is accepted, the earlier ones are retried only on
 *   their own clients' SYNs.
 */
import type { Reactor, Task } from "../sys/reactor.ts";
import type { Timer } from "../sys/timers.ts";
import type { Connection } from "./core/connection.ts";

/** A dial that may have to wait for its turn. */
export interface QueuedDial {
  /** Its position in the order of SYNs. */
  readonly place: number;
  /**
   * Retries, unless an answer to the last SYN may still come. Returns whether this dial no longer
   * holds up the ones behind it.
   */
  retry(): boolean;
  /** Whether the server drops SYNs because the port's backlog is full. */
  isBacklogFull(): boolean;
  /** Counts the last SYN as dropped: waits for the client's next one. */
  rest(): void;
}

/** The part of the reactor that a queue needs. */
export type QueueReactor = Pick<Reactor, "after" | "cancel" | "defer">;

/**
 * The pause before a refused dial is retried: its first length, its growth factor and its maximum.
 */
const pause = { firstMs: 2, factor: 1.5, longestMs: 50 } as const;
/** How long the other dials wait for an answer that should be immediate. */
const answerMs = 100;

export class DialQueue implements Task {
  readonly #reactor: QueueReactor;
  readonly #waiting: QueuedDial[] = [];
  readonly #unanswered: QueuedDial[] = [];
  /** The dial whose answer the others wait for, and the timer that ends their wait. */
  #asking: { readonly dial: QueuedDial; readonly timer: Timer } | undefined;
  /** The last try was refused. */
  #isRefusing = false;
  #isPaused = false;
  #pauseMs: number = pause.firstMs;
  #places = 0;

  constructor(reactor: QueueReactor) {
    this.#reactor = reactor;
  }

  /** Assigns the next position. */
  takePlace(): number {
    return ++this.#places;
  }

  /** Whether a new dial may be tried at once. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && this.#asking === undefined;
  }

  /** How long a dial that is refused now waits for its retry, in milliseconds. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** Queues the dial until its turn comes. */
  wait(dial: QueuedDial): void {
    insert(this.#waiting, dial);
  }

  /** Queues the dial until a process listens. `isSoon` retries it after the shortest pause. */
  waitForListener(dial: QueuedDial, isSoon: boolean): void {
    this.#isRefusing = true;
    this.wait(dial);
    if (isSoon) this.#pauseMs = pause.firstMs;
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#reactor.after(this.#pauseMs, () => this.#endPause());
  }

  /**
   * Notes that the dial's SYN is unanswered. Where links delay answers, by `linkMs` at most, the
   * other dials wait for it only if the port refused before.
   */
  waitForAnswer(dial: QueuedDial, linkMs: number): void {
    insert(this.#unanswered, dial);
    if (this.#asking || (linkMs > 0 && !this.#isRefusing)) return;
    const timer = this.#reactor.after(answerMs + linkMs, () => this.#goOn());
    this.#asking = { dial, timer };
  }

  /** The dial was accepted. Earlier dials no longer hold up the others. */
  accepted(dial: QueuedDial): void {
    this.#isRefusing = false;
    this.remove(dial);
    while (this.#isBefore(this.#unanswered[0], dial)) this.#unanswered.shift();
    if (this.#isBefore(this.#asking?.dial, dial)) this.#goOn();
  }

  /** Removes the dial from the queue. */
  remove(dial: QueuedDial): void {
    for (const dials of [this.#waiting, this.#unanswered]) {
      const at = dials.indexOf(dial);
      if (at >= 0) dials.splice(at, 1);
    }
    if (this.#asking?.dial === dial) this.#goOn();
  }

  /** A client's SYN for `dial` has arrived: retries the dials before it first. */
  retryBefore(dial: QueuedDial): void {
    if (!this.#asking) this.#retryBefore(dial);
  }

  #retryBefore(dial: QueuedDial): void {
    if (this.#unanswered.length === 0) return;
    for (const earlier of this.#unanswered.filter((one) => this.#isBefore(one, dial)))
      if (!earlier.retry()) return;
  }

  /** Retries the dials whose turn has come. */
  resume(): void {
    while (!this.#isPaused && !this.#asking) {
      const dial = this.#waiting.shift();
      if (!dial) {
        this.#pauseMs = pause.firstMs;
        return;
      }
      this.#tryAfterEarlier(dial);
    }
  }

  /** Earlier dials were retried when this one arrived, but it has waited since. */
  #tryAfterEarlier(dial: QueuedDial): void {
    const isFull = this.#unanswered.length > 0 && dial.isBacklogFull();
    this.#retryBefore(dial);
    if (isFull && this.#isBefore(this.#unanswered[0], dial)) {
      insert(this.#unanswered, dial);
      dial.rest();
    } else dial.retry();
  }

  #isBefore(one: QueuedDial | undefined, other: QueuedDial): boolean {
    return one !== undefined && one.place < other.place;
  }

  #endPause(): void {
    this.#isPaused = false;
    this.#pauseMs = Math.min(pause.longestMs, this.#pauseMs * pause.factor);
    this.resume();
  }

  /**
   * Ends the other dials' wait for an answer. The resumption is deferred, because the caller may be
   * handling that answer.
   */
  #goOn(): void {
    if (this.#asking) this.#reactor.cancel(this.#asking.timer);
    this.#asking = undefined;
    if (this.#waiting.length > 0) this.#reactor.defer(this);
  }
}

/** The queues of all ports. */
export class DialQueues {
  readonly #reactor: QueueReactor;
  readonly #queues = new Map<string, DialQueue>();

  constructor(reactor: QueueReactor) {
    this.#reactor = reactor;
  }

  of({ family, server, serverPort }: Connection): DialQueue {
    const key = `${family}/${server}:${serverPort}`;
    const known = this.#queues.get(key);
    if (known) return known;
    const queue = new DialQueue(this.#reactor);
    this.#queues.set(key, queue);
    return queue;
  }
}

function insert(dials: QueuedDial[], dial: QueuedDial): void {
  let at = dials.length;
  while (at > 0 && (dials[at - 1] as QueuedDial).place > dial.place) at--;
  if (dials[at - 1] !== dial) dials.splice(at, 0, dial);
}
