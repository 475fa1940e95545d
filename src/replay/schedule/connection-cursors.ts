/** The cursors that play to one end of one connection each, and where they are in the index. */
import { Cursor } from "./cursor.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class ConnectionCursors {
  /** How many of them are stalled. Kept by whoever changes their state. */
  stalled = 0;
  readonly #index: RecordingIndex;
  /** By end. */
  readonly #cursors = new Map<number, Cursor>();

  constructor(index: RecordingIndex) {
    this.#index = index;
  }

  /** Whether there are none that still go on. */
  get areAllStalled(): boolean {
    return this.#cursors.size === this.stalled;
  }

  get(end: number): Cursor | undefined {
    return this.#cursors.get(end);
  }

  /** Any of them. */
  first(): Cursor | undefined {
    const [cursor] = this.#cursors.values();
    return cursor;
  }

  all(): Iterable<Cursor> {
    return this.#cursors.values();
  }

  /** Starts at the place `from` of the index's `byConnection`. */
  start(end: number, from: number): Cursor {
    const { connections, byConnection } = this.#index;
    const cursor = new Cursor(end, byConnection, from, connections.to(end >> 1));
    cursor.previousNs = this.#index.timeNs(cursor.event);
    this.#cursors.set(end, cursor);
    return cursor;
  }

  drop(end: number): void {
    this.#cursors.delete(end);
  }

  /** Where an event of a connection lies in `byConnection`: its numbers ascend, so it is bisected. */
  placeOf(event: number): number {
    const { connections, byConnection } = this.#index;
    const connection = this.#index.connection(event);
    let from = connections.from(connection);
    let to = connections.to(connection);
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((byConnection[middle] as number) < event) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  firstOf(connection: number): number {
    return this.#index.byConnection[this.#index.connections.from(connection)] as number;
  }

  /** The last event that is played to `container`; the first if none is. */
  lastOf(connection: number, container: number): number {
    const { connections, byConnection } = this.#index;
    const from = connections.from(connection);
    let at = connections.to(connection) - 1;
    while (at > from && this.#index.wasStopped(container, byConnection[at] as number)) at--;
    return byConnection[at] as number;
  }

  lengthOf(connection: number): number {
    return this.#index.connections.to(connection) - this.#index.connections.from(connection);
  }
}
