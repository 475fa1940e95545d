/**
 * Decides a relay's reaction to an event on either connection: pure.
 *
 * Each direction has a phase of its own, so half-closes work naturally. A direction is open until
 * its sender ends it (FIN). It is draining while its bytes wait for the receiver. It is ended once
 * the receiver has been sent a FIN. The relay is over when both directions have ended, or at once
 * after a reset.
 */
import { type Direction, opposite } from "../../base/direction.ts";

const Phase = { open: 0, draining: 1, ended: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** The actions to perform, as bits. */
export const Action = {
  none: 0,
  /** Send a FIN to the receiver of this direction. */
  shutdown: 1,
  /** Close both connections, which sends any FIN still missing; all bytes were sent. */
  close: 2,
  /** Reset the receiver of this direction after its pending bytes; then the relay is over. */
  reset: 4,
} as const;

export class RelayCore {
  readonly #phases: [Phase, Phase] = [Phase.open, Phase.open];
  #over = false;

  /** Whether bytes may still come in this direction. */
  isOpen(direction: Direction): boolean {
    return !this.#over && this.#phases[direction] === Phase.open;
  }

  isOver(): boolean {
    return this.#over;
  }

  /**
   * The sender of `direction` ended it. `backlog` says that its bytes still wait for the receiver.
   */
  onEnd(direction: Direction, backlog: boolean): number {
    if (!this.isOpen(direction)) return Action.none;
    this.#phases[direction] = Phase.draining;
    return backlog ? Action.none : this.onFlushed(direction);
  }

  /** The receiver of `direction` has taken all bytes. */
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
