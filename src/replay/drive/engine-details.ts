/**
 * The data that the main thread and a replay's engine thread exchange, in addition to the common
 * task.
 */
import type { DifferenceList } from "../findings/differences.ts";
import type { Mask } from "../compare/masks.ts";
import type { RecordingStore } from "../../recording/recording.ts";
import type { ScheduleOptions } from "../schedule/schedule.ts";

/** The part of the task that only a replay's engine gets. */
export interface ReplayDetails {
  readonly path: string;
  readonly recording: RecordingStore;
  /** The containers whose processes run, by index. */
  readonly live: readonly number[];
  readonly schedule: ScheduleOptions;
  readonly masks: readonly Mask[];
  readonly compare: boolean;
  readonly mostDifferences: number;
  /** A Float64Array by {@link ReplayCounter}, written by the engine alone. */
  readonly replayCounters: SharedArrayBuffer;
  /** The live processes' time of day, if they see the recorded one: see `RecordedTime`. */
  readonly recordedTime: SharedArrayBuffer | undefined;
}

/**
 * The indices of a replay's counters. `waitingFor` is an event, or `noEvent`. From `departed` on
 * there is a flag for each container: whether its process has departed from the recording.
 */
export const ReplayCounter = {
  played: 0,
  total: 1,
  waitingFor: 2,
  done: 3,
  differences: 4,
  departed: 5,
} as const;

/** The number of counters for a replay with this many containers. */
export function replayCounterCount(containers: number): number {
  return ReplayCounter.departed + containers;
}

/** The engine's final result. */
export interface ReplayOutcome {
  readonly differences: DifferenceList;
  readonly played: number;
  readonly total: number;
}
