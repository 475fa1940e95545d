/** What the main thread and a replay's engine thread agree on, besides the common task. */
import type { DifferenceList } from "../findings/differences.ts";
import type { Mask } from "../compare/masks.ts";
import type { RecordingStore } from "../../recording/recording.ts";
import type { ScheduleOptions } from "../schedule/schedule.ts";

/** What a replay's engine is told besides the common task. */
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
  /** Where the live processes' time of day is kept, if they see the recorded one: see `RecordedTime`. */
  readonly recordedTime: SharedArrayBuffer | undefined;
}

/**
 * How far a replay is. `waitingFor` is an event's number, -1 for none. From `departed` on there is a
 * truth value for each container: whether its process did otherwise than recorded.
 */
export const ReplayCounter = {
  played: 0,
  total: 1,
  waitingFor: 2,
  done: 3,
  differences: 4,
  departed: 5,
} as const;

/** How many counters a replay with so many containers has. */
export function replayCounters(containers: number): number {
  return ReplayCounter.departed + containers;
}

/** What the engine says in the end. */
export interface ReplayOutcome {
  readonly differences: DifferenceList;
  readonly played: number;
  readonly total: number;
}
