/** The cursors that each play to one end of one connection. */
import { connectionOf, type EndId, endOf, type EventNumber } from "../../base/ids.ts";
import { opposite } from "../../base/direction.ts";
import { Cursor, type ReadyQueue } from "./cursor.ts";
import { ConnectionPlaces } from "./connection-places.ts";
import { Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class ConnectionCursors {
  readonly places: ConnectionPlaces;
  #stalled = 0;
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
    this.places = new ConnectionPlaces(index);
    this.#index = index;
    this.#progress = progress;
    this.#ready = ready;
    this.#floods = floods;
  }

  /** Whether no cursor can advance. */
  get areAllStalled(): boolean {
    return this.#cursors.size === this.#stalled;
  }

  /** Whether a cursor that can still advance is at an event before `event`. */
  isBehind(event: EventNumber): boolean {
    for (const cursor of this.#cursors.values())
      if (!cursor.isLeft && !cursor.isAtEnd && cursor.event < event) return true;
    return false;
  }

  get(end: EndId): Cursor | undefined {
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
  start(end: EndId, from: number, nowMs: number, state: Partial<Cursor> = {}): Cursor {
    const { connections, byConnection } = this.#index;
    const cursor = new Cursor(end, byConnection, from, connections.to(connectionOf(end)));
    cursor.previousNs = this.#index.timeNs(cursor.event);
    if (this.#floods) cursor.pass = "deliver";
    cursor.clockMs = nowMs;
    this.#progress.play(end, Playing.apart);
    this.#cursors.set(end, cursor);
    this.#ready.add(Object.assign(cursor, state));
    return cursor;
  }

  /** If the end had been given up, resumes it where it was left. */
  resumeLate(end: EndId, nowMs: number): void {
    const event = this.#progress.takeLate(end);
    if (event === undefined) return;
    this.start(end, this.places.placeOf(event), nowMs, { counts: false, waited: true });
  }

  /**
   * Takes the client's end of a connection out of the common order, unless its cursor `main` is
   * delivering to that end. Returns whether it did.
   */
  loosen(end: EndId, main: Cursor, nowMs: number): boolean {
    if (main.isAtEnd || this.#progress.playing(end) !== Playing.inOrder) return false;
    const { event } = main;
    const receiver = endOf(this.#index.connection(event), opposite(this.#index.direction(event)));
    if (main.isBusy && receiver === end) return false;
    const clockNs = this.#index.timeNs(event);
    this.start(end, this.places.placeFrom(connectionOf(end), event), nowMs, {
      isLoose: true,
      clockNs,
    });
    return true;
  }

  /** Queues a cursor, because something that it may wait for has happened. */
  wake(cursor: Cursor): void {
    if (cursor.state === "stalled") this.#stalled--;
    cursor.state = "ready";
    this.#ready.add(cursor);
  }

  /** The process does not take the cursor's delivery, so the others no longer wait for it. */
  stall(cursor: Cursor): void {
    cursor.state = "stalled";
    this.#stalled++;
  }

  /** Stops playing to an end. */
  abandon(end: EndId): void {
    const cursor = this.#cursors.get(end);
    if (cursor?.state === "stalled") this.#stalled--;
    if (cursor !== undefined) cursor.state = "over";
    this.drop(end);
  }

  drop(end: EndId): void {
    this.#cursors.delete(end);
  }
}
