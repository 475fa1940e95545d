/**
 * What a relay does when something happens to one of its two connections: pure.
 *
 * Each direction is on its own, so that a half-close is natural: it is open until its sender ends it
 * (FIN), then draining while bytes of it wait for the receiver to take them, then ended, which the
 * receiver was told by a FIN. The relay is over when both have ended, or at once by a reset.
 */
import { type Direction, opposite } from "../../base/direction.ts";

const Phase = { open: 0, draining: 1, ended: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** What is to be done, as bits. */
export const Action = {
  none: 0,
  /** Send FIN to the receiver of this direction. */
  shutdown: 1,
  /** Close both connections, which says FIN where it was not said yet: all was said. */
  close: 2,
  /** Reset the receiver of this direction, after what waits for it; then the relay is over. */
  reset: 4,
} as const;

export class RelayCore {
  readonly #phases: [Phase, Phase] = [Phase.open, Phase.open];
  #over = false;

  /** May bytes of this direction still come? */
  isOpen(direction: Direction): boolean {
    return !this.#over && this.#phases[direction] === Phase.open;
  }

  isOver(): boolean {
    return this.#over;
  }

  /** The sender of `direction` ended it; `backlog`: bytes of it still wait for the receiver. */
  onEnd(direction: Direction, backlog: boolean): number {
    if (!this.isOpen(direction)) return Action.none;
    this.#phases[direction] = Phase.draining;
    return backlog ? Action.none : this.onFlushed(direction);
  }

  /** Nothing of `direction` waits for its receiver any more. */
  onFlushed(direction: Direction): number {
    if (this.#over || this.#phases[direction] !== Phase.draining) return Action.none;
    this.#phases[direction] = Phase.ended;
    if (this.#phases[opposite(direction)] !== Phase.ended) return Action.shutdown;
    this.#over = true;
    return Action.close;
  }

  /** The sender of `direction` reset its connection. */
  onReset(): number {
    if (this.#over) return Action.none;
    this.#over = true;
    return Action.reset;
  }
}
