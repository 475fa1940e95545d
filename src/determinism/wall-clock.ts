/** Provides the recorded time of day in the kernel's format. */
import type { ContainerIndex } from "../base/ids.ts";
import { RecordedTime } from "./core/recorded-time.ts";
import type { RecordedClock } from "./supervisor-task.ts";

const nsPerSecond = 1_000_000_000n;

export class WallClock {
  readonly #startNs: bigint;
  readonly #time: RecordedTime;

  constructor({ startNs, store }: RecordedClock) {
    this.#startNs = startNs;
    this.#time = new RecordedTime(store);
  }

  /**
   * Writes a container's time to the first 16 bytes, as a `struct timespec`. Returns its seconds.
   */
  write(view: DataView, container: ContainerIndex): number {
    const sinceStartNs = this.#time.at(container, Number(process.hrtime.bigint()));
    const nowNs = this.#startNs + BigInt(Math.round(sinceStartNs));
    view.setBigInt64(0, nowNs / nsPerSecond, true);
    view.setBigInt64(8, nowNs % nsPerSecond, true);
    return Number(nowNs / nsPerSecond);
  }
}
