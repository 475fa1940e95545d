/** What a schedule is told once, and what it answers. */

/** How strictly events are kept in order. */
export type Order = "process" | "connection" | "global";

/** What an event waits for besides: nothing, the recorded gaps divided by `factor`, or not even the order. */
export type Release =
  | { readonly type: "causal" }
  | { readonly type: "speed"; readonly factor: number }
  | { readonly type: "flood" };

/** What recorded times are divided by: how much faster than recorded a process may be expected to act. */
export function speedOf(release: Release): number {
  return release.type === "speed" ? release.factor : 1;
}

export interface ScheduleOptions {
  /** With `flood` it is always `connection`. */
  readonly order: Order;
  readonly release: Release;
  /** How much longer than in the recording something is waited for while nothing moves. */
  readonly patienceMs: number;
}

/**
 * What is to be done now. The same object again and again: read it before the next call.
 * `deliver`: let `event` happen to its receiver, then call {@link Schedule.noteDelivered}; ask for more at once.
 * `wait`: nothing to do before the time `untilMs` (or Infinity), or before something is noted. `event` is
 * one that is waited for, or being delivered; -1 if there is no single one.
 * `done`: every event has happened or was given up. Something may still be noted, and wake it up again.
 */
export interface Step {
  readonly type: "deliver" | "wait" | "done";
  readonly event: number;
  readonly untilMs: number;
}

/** The one {@link Step} of a schedule, which it changes again and again. */
export class Answer implements Step {
  type: Step["type"] = "wait";
  event = -1;
  untilMs: number = Infinity;

  say(type: Step["type"], event: number, untilMs: number = Infinity): Step {
    this.type = type;
    this.event = event;
    this.untilMs = untilMs;
    return this;
  }
}
