/**
 * One direction of a link, in virtual time: maps the time at which a packet is sent to the time at
 * which it arrives, if it does. The stages, in order:
 *
 *     down?  lost    queue full?  dropped    rate: it takes its turn    loss    delay and jitter
 *
 * A packet lost on the way thus uses its share of the rate, as on a wire. The queue needs no list:
 * a packet's wait follows from the time when the wire becomes free.
 *
 * Every packet consumes exactly four random numbers, whatever happens to it. With the same seed,
 * the n-th packet of a direction is therefore lost, duplicated or late in every run.
 */
import type { LinkConditions } from "./link-spec.ts";
import type { Random } from "./random.ts";

/** Returned by {@link LinkDirection.send} for a packet that does not arrive. */
export const lost = -1;

export class LinkDirection {
  /** Whether the last packet sent arrives twice. */
  isDoubled = false;
  readonly #conditions: LinkConditions;
  readonly #random: Random;
  /** When the wire becomes free. */
  #freeMs = 0;
  #lastArrivalMs = 0;
  #isUp: boolean;
  #nextSwitch = 0;

  constructor(conditions: LinkConditions, random: Random) {
    this.#conditions = conditions;
    this.#random = random;
    // A link whose first change is "up" starts out down.
    this.#isUp = !(conditions.switches[0]?.isUp ?? false);
  }

  /**
   * Sends a packet of `lengthBytes` at a time since the run's start, which never decreases. Returns
   * its time of arrival, or {@link lost}; a number, so that nothing is allocated.
   */
  send(nowMs: number, lengthBytes: number): number {
    const { loss, duplicate, reorder, delayMs, jitterMs } = this.#conditions;
    const isLost = this.#random.next() < loss;
    const isDoubled = this.#random.next() < duplicate;
    const overtakes = this.#random.next() < reorder;
    const offMs = jitterMs * (2 * this.#random.next() - 1);
    this.isDoubled = false;
    const leftMs = this.#isUpAt(nowMs) ? this.#transmit(nowMs, lengthBytes) : lost;
    if (leftMs === lost || isLost) return lost;
    this.isDoubled = isDoubled;
    if (overtakes) return leftMs;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, leftMs + delayMs + offMs);
    return this.#lastArrivalMs;
  }

  #isUpAt(nowMs: number): boolean {
    const { switches } = this.#conditions;
    for (;;) {
      const next = switches[this.#nextSwitch];
      if (!next || next.atMs > nowMs) return this.#isUp;
      this.#isUp = next.isUp;
      this.#nextSwitch++;
    }
  }

  /** When the packet's last bit leaves, or {@link lost} if the queue is full. */
  #transmit(nowMs: number, lengthBytes: number): number {
    const { bitsPerMs, queueMs } = this.#conditions;
    const startMs = Math.max(nowMs, this.#freeMs);
    if (startMs - nowMs > queueMs) return lost;
    this.#freeMs = startMs + (8 * lengthBytes) / bitsPerMs;
    return this.#freeMs;
  }
}
