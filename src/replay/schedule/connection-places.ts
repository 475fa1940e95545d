/** Where the events of recorded connections lie: positions in the index's `byConnection`. */
import type { ConnectionNumber, ContainerIndex, EventNumber } from "../../base/ids.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class ConnectionPlaces {
  readonly #index: RecordingIndex;

  constructor(index: RecordingIndex) {
    this.#index = index;
  }

  /** The position of an event in `byConnection`. Event numbers ascend, so bisection finds it. */
  placeOf(event: EventNumber): number {
    return this.placeFrom(this.#index.connection(event), event);
  }

  /** The position of the first event of `connection` at or after `event`. */
  placeFrom(connection: ConnectionNumber, event: EventNumber): number {
    const { connections, byConnection } = this.#index;
    let from = connections.from(connection);
    let to = connections.to(connection);
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((byConnection[middle] as number) < event) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  firstOf(connection: ConnectionNumber): number {
    return this.#index.byConnection[this.#index.connections.from(connection)] as number;
  }

  /** The last event that is played to `container`, or the connection's first event if none is. */
  lastOf(connection: ConnectionNumber, container: ContainerIndex): number {
    const { connections, byConnection } = this.#index;
    const from = connections.from(connection);
    const isLeft = (event: EventNumber): boolean =>
      !this.#index.wasStopped(container, event) && this.#index.connection(event) === connection;
    let at = connections.to(connection) - 1;
    while (at > from && !isLeft(byConnection[at] as number)) at--;
    return byConnection[at] as number;
  }

  lengthOf(connection: ConnectionNumber): number {
    return this.#index.connections.to(connection) - this.#index.connections.from(connection);
  }
}
