/** The options of a schedule, and its answers. */
import { type EventNumber, noEvent } from "../../base/ids.ts";

/**
 * How strictly a replay keeps the order of events.
 *
 * - `process`: the order of all events at each live process.
 * - `connection`: the order of the events on each connection.
 * - `global`: the order of the events of all live processes together.
 */
export type Order = "process" | "connection" | "global";

/**
 * When a replay releases events.
 *
 * - `causal`: as soon as it is their turn.
 * - `speed`: no sooner than the recorded gaps, divided by `factor`, have passed.
 * - `flood`: bytes do not even wait for their turn.
 */
export type Release =
  | { readonly type: "causal" }
  | { readonly type: "speed"; readonly factor: number }
  | { readonly type: "flood" };

/** The divisor of recorded times: how much faster than recorded a process is expected to act. */
export function speedOf(release: Release): number {
  return release.type === "speed" ? release.factor : 1;
}

export interface ScheduleOptions {
  /** `flood` always uses `connection`. */
  readonly order: Order;
  readonly release: Release;
  /** How much longer than recorded the replay waits for an event while nothing moves. */
  readonly patienceMs: number;
}

/**
 * The next action. The schedule reuses one object: read it before the next call.
 *
 * - `deliver`: let `event` happen to its receiver, then call {@link Schedule.noteDelivered}. Ask
 *   for the next step at once.
 * - `wait`: nothing to do before the time `untilMs` (or Infinity), or the next note. `event` is one
 *   that is awaited or being delivered; `noEvent` if there is no single one.
 * - `done`: every event has happened or was given up. A later note may wake the schedule again.
 */
export interface Step {
  readonly type: "deliver" | "wait" | "done";
  readonly event: EventNumber;
  readonly untilMs: number;
}

/** The reusable {@link Step} of a schedule. */
export class Answer implements Step {
  type: Step["type"] = "wait";
  event: EventNumber = noEvent;
  untilMs: number = Infinity;

  set(type: Step["type"], event: EventNumber, untilMs: number = Infinity): Step {
    this.type = type;
    this.event = event;
    this.untilMs = untilMs;
    return this;
  }
}
