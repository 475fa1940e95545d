/**
 * Runs a schedule in the reactor: asks it for the next step when something moved or a timer fires.
 */
import { type EventNumber, noEvent } from "../../base/ids.ts";
import type { Reactor, Task } from "../../sys/reactor.ts";
import type { Timer } from "../../sys/timers.ts";
import type { Matching } from "../match/matching.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { ReadingWatch, type WatchedEnd } from "./reading-watch.ts";

/** How many events one schedule delivers before others get their turn. */
const deliveriesPerTurn = 64;
/** How many times per patience the runner checks whether its processes read. */
const looksPerPatience = 8;
/** The approximate resolution of the reactor's timers. */
const shortestMs = 0.1;

/** The outcome of a delivery. If it is held back, the runner asks again after `forMs`. */
export type Delivery =
  | { readonly type: "delivered" }
  | { readonly type: "held"; readonly forMs: number };

/** Carries out a schedule's decisions. */
export interface Performer {
  /** Lets `event` happen, and notes it as delivered, now or later; or holds it back. */
  deliver(runner: ScheduleRunner, event: EventNumber): Delivery;
  /**
   * Whether the runner waits for `event` on a stream that has differed, or where a mask covers it,
   * so that it need not come as recorded.
   */
  isAstray(runner: ScheduleRunner, event: EventNumber): boolean;
  /**
   * Whether its processes have sent bytes that are held until it is clear which question they ask.
   */
  hasHeld(runner: ScheduleRunner): boolean;
  /**
   * The processes of this runner are quiet. Decides pending matches, and no longer waits for bytes
   * that need not come.
   */
  settle(runner: ScheduleRunner): void;
}

export class ScheduleRunner implements Task {
  readonly schedule: Schedule;
  /** Every event has happened or was given up. */
  isDone = false;
  /** The event that the schedule waits for, or {@link noEvent}. */
  waitingFor: EventNumber = noEvent;
  /** When something last moved for its processes, in milliseconds of the reactor's clock. */
  movedMs: number;
  readonly #reactor: Reactor;
  readonly #matching: Matching;
  readonly #performer: Performer;
  readonly #quietMs: number;
  readonly #lookMs: number;
  /** Watches connections that its processes may not have read to the end. */
  readonly reading: ReadingWatch<WatchedEnd> = new ReadingWatch();
  #lookAtMs = Infinity;
  #timer: Timer | undefined;
  #isQueued = false;
  /** An event that the schedule released and the performer holds back, or {@link noEvent}. */
  #heldBack: EventNumber = noEvent;

  /**
   * `quietMs`: how long nothing moves before processes count as quiet. `patienceMs`: the
   * schedule's.
   */
  constructor(
    schedule: Schedule,
    reactor: Reactor,
    matching: Matching,
    performer: Performer,
    quietMs: number,
    patienceMs: number,
  ) {
    this.#lookMs = patienceMs / looksPerPatience;
    this.schedule = schedule;
    this.#quietMs = quietMs;
    this.#reactor = reactor;
    this.#matching = matching;
    this.#performer = performer;
    this.movedMs = reactor.nowMs;
  }

  /** Something moved. Asks the schedule again after the other events of this round. */
  moved(): void {
    this.movedMs = this.#reactor.nowMs;
    this.queue();
  }

  queue(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.#reactor.defer(this);
  }

  resume(): void {
    this.#isQueued = false;
    if (this.#timer) this.#reactor.cancel(this.#timer);
    this.#timer = undefined;
    this.#lookAtReading();
    if (this.#heldBack !== noEvent && !this.#deliver(this.#heldBack)) return;
    for (let count = 0; count < deliveriesPerTurn; count++) {
      const step = this.schedule.next(this.#reactor.nowMs);
      this.isDone = step.type === "done";
      this.waitingFor = step.type === "wait" ? step.event : noEvent;
      if (step.type !== "deliver") return this.#sleep(step.untilMs);
      if (!this.#deliver(step.event)) return;
    }
    this.queue();
  }

  /** A process that reads what it was sent is not given up. */
  #lookAtReading(): void {
    const { nowMs } = this.#reactor;
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = Infinity;
    if (this.reading.hasRead()) this.schedule.noteMoved();
  }

  /** Returns false if the event is held back. A timer then asks again. */
  #deliver(event: EventNumber): boolean {
    const delivery = this.#performer.deliver(this, event);
    if (delivery.type === "delivered") {
      this.#heldBack = noEvent;
      this.movedMs = this.#reactor.nowMs;
      return true;
    }
    this.#heldBack = event;
    if (delivery.forMs < shortestMs) this.queue();
    else this.#timer = this.#reactor.after(delivery.forMs, () => this.queue());
    return false;
  }

  /**
   * Sleeps until a note, or until the time comes. Wakes earlier to settle processes that fall
   * quiet.
   */
  #sleep(untilMs: number): void {
    const hasPending =
      this.#performer.hasHeld(this) ||
      this.schedule.containers.some((client) =>
        this.#matching.pendingOf(client).some(({ canSettle }) => canSettle),
      );
    const { nowMs } = this.#reactor;
    const isAstray = this.waitingFor !== noEvent && this.#performer.isAstray(this, this.waitingFor);
    const quietAtMs = hasPending || isAstray ? this.movedMs + this.#quietMs : Infinity;
    if (nowMs >= quietAtMs) return this.#performer.settle(this);
    if (this.isDone || untilMs === Infinity || this.reading.isIdle) this.#lookAtMs = Infinity;
    else this.#lookAtMs = Math.min(this.#lookAtMs, nowMs + this.#lookMs);
    const wakeMs = Math.min(this.isDone ? Infinity : untilMs, quietAtMs, this.#lookAtMs);
    if (wakeMs === Infinity) return;
    this.#timer = this.#reactor.after(Math.max(shortestMs, wakeMs - nowMs), () => this.queue());
  }
}
