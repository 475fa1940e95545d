/**
 * When what the recording holds for a live process happens to it: pure.
 */
import type { Direction } from "../dump/schema.ts";
import type { ReportDifference } from "./differences.ts";
import type { Progress } from "./progress.ts";
import type { RecordingIndex } from "./recording.ts";
import type { LiveSet } from "./script.ts";

/** How strictly events are kept in order. */
export type Order = "process" | "connection" | "global";

/** What an event waits for besides: nothing, the recorded gaps divided by `factor`, or not even the order. */
export type Release =
  | { readonly type: "causal" }
  | { readonly type: "speed"; readonly factor: number }
  | { readonly type: "flood" };

export interface ScheduleOptions {
  readonly order: Order;
  readonly release: Release;
  /** How much longer than in the recording something is waited for while nothing moves. */
  readonly patienceMs: number;
}

/**
 * What is to be done now. The same object again and again: read it before the next call.
 * `deliver`: let `event` happen to its receiver, then call {@link Schedule.noteDelivered}; ask for more at once.
 * `wait`: nothing to do before the time `untilMs` (or Infinity), or before something is noted. `event` is
 * one that is waited for, -1 if deliveries are.
 * `done`: every event has happened or was given up. Something may still be noted, and wake it up again.
 */
export interface Turn {
  readonly type: "deliver" | "wait" | "done";
  readonly event: number;
  readonly untilMs: number;
}

export class Schedule {
  /** The live processes it plays to: one, or with `--order global` all. */
  readonly containers: readonly number[];
  /** How many events it has in all. */
  readonly total: number = 0;

  constructor(
    _index: RecordingIndex,
    _live: LiveSet,
    containers: readonly number[],
    _progress: Progress,
    _options: ScheduleOptions,
    _report: ReportDifference,
  ) {
    this.containers = containers;
  }

  /** How many events have happened or were given up. */
  get played(): number {
    return 0;
  }

  /** What to do at `nowMs`. To be asked after anything was noted, at `untilMs`, and until it says `wait`. */
  next(_nowMs: number): Turn {
    throw new Error("not yet");
  }

  /** The live process opened this connection (it was matched). */
  noteConnected(_connection: number): void {}

  /** The live process, as the server, accepted this connection. */
  noteAccepted(_connection: number): void {}

  /** The live process, as the server, refused this connection. */
  noteRefused(_connection: number): void {}

  /** The live process has sent `totalBytes` in `direction`, in terms of the recorded stream. */
  noteBytes(_connection: number, _direction: Direction, _totalBytes: number): void {}

  /** The live process, the sender of `direction`, ended it (FIN). */
  noteEnd(_connection: number, _direction: Direction): void {}

  /** The live process, the sender of `direction`, reset the connection. */
  noteReset(_connection: number, _direction: Direction): void {}

  /** A live process sent a packet that is not TCP. */
  notePacket(_sender: number, _receiver: number): void {}

  /** `event` has happened to its receiver: bytes were taken by the kernel or are first in its backlog. */
  noteDelivered(_event: number): void {}

  /** Something moved that is not told otherwise: a part of a delivery was taken. It postpones patience. */
  noteMoved(): void {}

  /**
   * The live process is gone and all that it had sent was noted: what it did not do is given up without
   * waiting, and nothing more is delivered to it.
   */
  noteGone(_container: number): void {}

  /** The first event that a process cannot know of yet: connections made before it may be open at once. */
  windowEnd(): number {
    return 0;
  }
}
