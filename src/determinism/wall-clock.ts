/** The recorded time of day, as the kernel would tell it. */
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

  /** Writes the time of a container into the first 16 bytes: `struct timespec`. Returns its seconds. */
  write(view: DataView, container: number): number {
    const sinceStartNs = this.#time.at(container, Number(process.hrtime.bigint()));
    const nowNs = this.#startNs + BigInt(Math.round(sinceStartNs));
    view.setBigInt64(0, nowNs / nsPerSecond, true);
    view.setBigInt64(8, nowNs % nsPerSecond, true);
    return Number(nowNs / nsPerSecond);
  }
}
