/**
 * The events that happen to a live process in a recording, in order. Each reveals the process's
 * clock.
 */
import type { ContainerIndex, EventNumber } from "../../base/ids.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { scriptOf } from "./script.ts";

export class Deliveries {
  readonly #index: RecordingIndex;
  readonly #events: Uint32Array;

  constructor(index: RecordingIndex, container: ContainerIndex) {
    this.#index = index;
    this.#events = scriptOf(index, container)
      .filter((event) => index.receiver(event) === container)
      .toSorted();
  }

  /**
   * The recorded time of the first delivery after `event`, in nanoseconds; Infinity if there is
   * none.
   */
  nextNs(event: EventNumber): number {
    let [from, to] = [0, this.#events.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#events[middle] as number) <= event) from = middle + 1;
      else to = middle;
    }
    const next = this.#events[from];
    return next === undefined ? Infinity : this.#index.deliveryNs(next);
  }
}
