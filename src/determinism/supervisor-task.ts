/** The data that the main thread passes to the supervisor's thread. */
import type { ContainerIndex } from "../base/ids.ts";
import type { Fd } from "../base/units.ts";

/** The time of day that commands see in place of the machine's. */
export interface RecordedClock {
  /** The recorded run's start, in nanoseconds since the epoch. */
  readonly startNs: bigint;
  /** See `RecordedTime`. */
  readonly store: SharedArrayBuffer;
}

/** A container: its index in the run, and its name. */
export interface ContainerName {
  readonly index: ContainerIndex;
  readonly name: string;
}

/** The thread's only message: its task, or the order to end without one. */
export type SupervisorOrder = SupervisorTask | "end";

export interface SupervisorTask {
  readonly listener: Fd;
  /** Signalled to end the thread. */
  readonly wakeup: Fd;
  readonly seed: number;
  readonly clock: RecordedClock | undefined;
  /** The FUSE device behind /dev/urandom, if plg serves it. */
  readonly device: Fd | undefined;
  /** The containers, by the target of /proc/PID/ns/net of their processes. */
  readonly containers: ReadonlyMap<string, ContainerName>;
}
