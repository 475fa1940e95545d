/** The cursors that each play to one end of one connection, and their places in the index. */
import { opposite } from "../../base/direction.ts";
import { Cursor, type ReadyQueue } from "./cursor.ts";
import { endOf, Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class ConnectionCursors {
  /** The number of stalled cursors. The cursor engine updates it when a cursor's state changes. */
  stalled = 0;
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #ready: ReadyQueue;
  readonly #floods: boolean;
  /** By end. */
  readonly #cursors = new Map<number, Cursor>();

  /**
   * Started cursors join the queue `ready`. `floods`: each cursor first delivers without waiting,
   * and waits on its second pass.
   */
  constructor(index: RecordingIndex, progress: Progress, ready: ReadyQueue, floods: boolean) {
    this.#index = index;
    this.#progress = progress;
    this.#ready = ready;
    this.#floods = floods;
  }

  /** Whether no cursor can advance. */
  get areAllStalled(): boolean {
    return this.#cursors.size === this.stalled;
  }

  /** Whether a cursor that can still advance is at an event before `event`. */
  isBehind(event: number): boolean {
    for (const cursor of this.#cursors.values())
      if (!cursor.isLeft && !cursor.isAtEnd && cursor.event < event) return true;
    return false;
  }

  get(end: number): Cursor | undefined {
    return this.#cursors.get(end);
  }

  /** An arbitrary cursor. */
  first(): Cursor | undefined {
    const [cursor] = this.#cursors.values();
    return cursor;
  }

  all(): Iterable<Cursor> {
    return this.#cursors.values();
  }

  /** Starts a cursor at the position `from` of the index's `byConnection`, in this `state`. */
  start(end: number, from: number, nowMs: number, state: Partial<Cursor> = {}): Cursor {
    const { connections, byConnection } = this.#index;
    const cursor = new Cursor(end, byConnection, from, connections.to(end >> 1));
    cursor.previousNs = this.#index.timeNs(cursor.event);
    if (this.#floods) cursor.pass = "deliver";
    cursor.clockMs = nowMs;
    this.#progress.play(end, Playing.apart);
    this.#cursors.set(end, cursor);
    this.#ready.add(Object.assign(cursor, state));
    return cursor;
  }

  /** If the end had been given up, resumes it where it was left. */
  resumeLate(end: number, nowMs: number): void {
    const event = this.#progress.takeLate(end);
    if (event === undefined) return;
    this.start(end, this.placeOf(event), nowMs, { counts: false, waited: true });
  }

  /**
   * Takes the client's end of a connection out of the common order, unless its cursor `main` is
   * delivering to that end. Returns whether it did.
   */
  loosen(end: number, main: Cursor, nowMs: number): boolean {
    if (main.isAtEnd || this.#progress.playing(end) !== Playing.inOrder) return false;
    const { event } = main;
    const receiver = endOf(this.#index.connection(event), opposite(this.#index.direction(event)));
    if (main.isBusy && receiver === end) return false;
    const clockNs = this.#index.timeNs(event);
    this.start(end, this.placeFrom(end >> 1, event), nowMs, { isLoose: true, clockNs });
    return true;
  }

  drop(end: number): void {
    this.#cursors.delete(end);
  }

  /** The position of an event in `byConnection`. Event numbers ascend, so bisection finds it. */
  placeOf(event: number): number {
    return this.placeFrom(this.#index.connection(event), event);
  }

  /** The position of the first event of `connection` at or after `event`. */
  placeFrom(connection: number, event: number): number {
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

  firstOf(connection: number): number {
    return this.#index.byConnection[this.#index.connections.from(connection)] as number;
  }

  /** The last event that is played to `container`, or the connection's first event if none is. */
  lastOf(connection: number, container: number): number {
    const { connections, byConnection } = this.#index;
    const from = connections.from(connection);
    const isLeft = (event: number): boolean =>
      !this.#index.wasStopped(container, event) && this.#index.connection(event) === connection;
    let at = connections.to(connection) - 1;
    while (at > from && !isLeft(byConnection[at] as number)) at--;
    return byConnection[at] as number;
  }

  lengthOf(connection: number): number {
    return this.#index.connections.to(connection) - this.#index.connections.from(connection);
  }
}
