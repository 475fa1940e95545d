/**
 * One direction of a link, in virtual time: a packet is sent at some time, and arrives at another, or
 * never. What a packet meets, in this order:
 *
 *     down?  lost    queue full?  dropped    rate: it takes its turn    loss    delay and jitter
 *
 * So a packet that is lost on the way has taken its share of the rate, as on a wire. The queue before the
 * wire is no list: how long a packet waits follows from when the wire is free.
 *
 * Four random numbers are drawn for each packet, whatever becomes of it. So with the same seed the n-th
 * packet of a direction is lost, or doubled, or late, in each run that has it.
 */
import type { LinkConditions } from "./link-spec.ts";
import type { Random } from "./random.ts";

/** What {@link LinkDirection.send} says of a packet that does not arrive. */
export const lost = -1;

export class LinkDirection {
  /** Whether the packet that was sent last arrives twice. */
  isDoubled = false;
  readonly #conditions: LinkConditions;
  readonly #random: Random;
  /** When the wire has taken all packets so far. */
  #freeMs = 0;
  #lastArrivalMs = 0;
  #isUp: boolean;
  #nextSwitch = 0;

  constructor(conditions: LinkConditions, random: Random) {
    this.#conditions = conditions;
    this.#random = random;
    // A link that comes up first has been down until then.
    this.#isUp = !(conditions.switches[0]?.isUp ?? false);
  }

  /**
   * Sends a packet of `lengthBytes`, at a time since the run's start that never goes back. Returns when it
   * arrives, or {@link lost}. A number, so that nothing is allocated.
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

  /** When the packet's last bit has left, or {@link lost} if too much waits before it. */
  #transmit(nowMs: number, lengthBytes: number): number {
    const { bitsPerMs, queueMs } = this.#conditions;
    const startMs = Math.max(nowMs, this.#freeMs);
    if (startMs - nowMs > queueMs) return lost;
    this.#freeMs = startMs + (8 * lengthBytes) / bitsPerMs;
    return this.#freeMs;
  }
}
