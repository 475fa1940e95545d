/**
 * The dials to one port, in the order of their clients' SYNs.
 *
 * A listening socket hands out connections in the order in which their handshakes complete. So dials that
 * have to wait are tried in the order of their SYNs, and a new dial goes behind them.
 *
 * - Nobody listens yet (`--wait-listen`). Only the first is tried again, at intervals; once it is
 *   accepted, the others follow at once.
 * - An answer is on its way. Without links it is there when `connect` returns, but a busy kernel may
 *   leave a SYN in one processor's queue while another processor takes the next. So the next dial waits
 *   a moment.
 * - A SYN was dropped because the backlog is full. Each SYN that a client sends is an occasion to try
 *   those before it first. A filter may drop the SYNs of one client alone: once a later one is accepted,
 *   those before it are left to their own SYNs.
 */
import type { Reactor, Task } from "../sys/reactor.ts";
import type { Timer } from "../sys/timers.ts";
import type { Connection } from "./core/connection.ts";

/** A dial that may have to wait for its turn. */
export interface QueuedDial {
  /** Its place in the order of SYNs. */
  readonly place: number;
  /** Tries, unless an answer to its last SYN may still come. Whether it is out of the way now. */
  retry(): boolean;
}

/** The part of the reactor that a queue needs. */
export type QueueReactor = Pick<Reactor, "after" | "cancel" | "defer">;

/** The first pause before a refused dial is tried again, the factor by which it grows, and the longest. */
const pause = { firstMs: 2, factor: 1.5, longestMs: 50 } as const;
/** How long the others wait for an answer that should be there at once. */
const answerMs = 100;

export class DialQueue implements Task {
  readonly #reactor: QueueReactor;
  readonly #waiting: QueuedDial[] = [];
  readonly #unanswered: QueuedDial[] = [];
  /** The one whose answer the others wait for, and until when. */
  #asking: { readonly dial: QueuedDial; readonly timer: Timer } | undefined;
  /** Nobody listened when it was last tried. */
  #isRefusing = false;
  #isPaused = false;
  #pauseMs: number = pause.firstMs;
  #places = 0;

  constructor(reactor: QueueReactor) {
    this.#reactor = reactor;
  }

  /** The place of one more dial. */
  takePlace(): number {
    return ++this.#places;
  }

  /** Whether a new dial may be tried at once. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && this.#asking === undefined;
  }

  /** How long until a dial that is refused now is tried again, in milliseconds. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** The dial waits for its turn. */
  wait(dial: QueuedDial): void {
    insert(this.#waiting, dial);
  }

  /** The dial waits for somebody to listen. `isSoon`: it is tried again as early as can be. */
  waitForListener(dial: QueuedDial, isSoon: boolean): void {
    this.#isRefusing = true;
    this.wait(dial);
    if (isSoon) this.#pauseMs = pause.firstMs;
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#reactor.after(this.#pauseMs, () => this.#endPause());
  }

  /**
   * The dial has sent a SYN that is not answered yet. Where links delay answers, by `linkMs` at most, the
   * others wait for it only if the port refused before.
   */
  waitForAnswer(dial: QueuedDial, linkMs: number): void {
    insert(this.#unanswered, dial);
    if (this.#asking || (linkMs > 0 && !this.#isRefusing)) return;
    const timer = this.#reactor.after(answerMs + linkMs, () => this.#goOn());
    this.#asking = { dial, timer };
  }

  /** The dial was accepted. Those before it hold up nobody any more. */
  accepted(dial: QueuedDial): void {
    this.#isRefusing = false;
    this.remove(dial);
    while (this.#isBefore(this.#unanswered[0], dial)) this.#unanswered.shift();
    if (this.#isBefore(this.#asking?.dial, dial)) this.#goOn();
  }

  /** The dial waits no longer. */
  remove(dial: QueuedDial): void {
    for (const dials of [this.#waiting, this.#unanswered]) {
      const at = dials.indexOf(dial);
      if (at >= 0) dials.splice(at, 1);
    }
    if (this.#asking?.dial === dial) this.#goOn();
  }

  /** A SYN for `dial` has come: those before it have their chance first. */
  retryBefore(dial: QueuedDial): void {
    if (!this.#asking) this.#retryBefore(dial);
  }

  #retryBefore(dial: QueuedDial): void {
    if (this.#unanswered.length === 0) return;
    for (const earlier of this.#unanswered.filter((one) => this.#isBefore(one, dial)))
      if (!earlier.retry()) return;
  }

  /** Tries those whose turn it is. */
  resume(): void {
    while (!this.#isPaused && !this.#asking) {
      const dial = this.#waiting.shift();
      if (!dial) {
        this.#pauseMs = pause.firstMs;
        return;
      }
      // Those before it had their chance when it came, but it has waited since.
      this.#retryBefore(dial);
      dial.retry();
    }
  }

  #isBefore(one: QueuedDial | undefined, other: QueuedDial): boolean {
    return one !== undefined && one.place < other.place;
  }

  #endPause(): void {
    this.#isPaused = false;
    this.#pauseMs = Math.min(pause.longestMs, this.#pauseMs * pause.factor);
    this.resume();
  }

  /** The others wait no longer for an answer. Not from within the call that brought it. */
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
