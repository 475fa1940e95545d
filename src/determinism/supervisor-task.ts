/** What the main thread and the supervisor's thread agree on. */
import type { Fd } from "../base/units.ts";

export interface SupervisorTask {
  readonly listener: Fd;
  /** Signalled when the thread is to end. */
  readonly wakeup: Fd;
  readonly seed: number;
  /** The containers' names, by how /proc/PID/ns/net reads for their processes. */
  readonly containers: ReadonlyMap<string, string>;
}
