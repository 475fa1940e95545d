/** What the main thread and the supervisor's thread agree on. */
import type { Fd } from "../base/units.ts";

/** The time of day that commands see instead of the machine's. */
export interface RecordedClock {
  /** The recorded run's start, since the epoch. */
  readonly startNs: bigint;
  /** See `RecordedTime`. */
  readonly store: SharedArrayBuffer;
}

/** A container, and its index in the run. */
export interface ContainerName {
  readonly index: number;
  readonly name: string;
}

export interface SupervisorTask {
  readonly listener: Fd;
  /** Signalled when the thread is to end. */
  readonly wakeup: Fd;
  readonly seed: number;
  readonly clock: RecordedClock | undefined;
  /** Where the kernel asks what /dev/urandom is to say, if that is plg's to say. */
  readonly device: Fd | undefined;
  /** The containers, by how /proc/PID/ns/net reads for their processes. */
  readonly containers: ReadonlyMap<string, ContainerName>;
}
