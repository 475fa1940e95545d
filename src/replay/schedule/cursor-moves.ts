/**
 * How cursors move: they block at an event, or pass it. Counts the events that they have passed, or
 * given up.
 */
import type { EventNumber } from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import { gone, type Wait } from "../findings/wait.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { ConnectionCursors } from "./connection-cursors.ts";
import type { Cursor } from "./cursor.ts";
import type { CursorEngineParts } from "./engine-parts.ts";
import type { Gate } from "./gate.ts";
import type { Patience } from "./patience.ts";
import type { RecordedPace } from "./recorded-pace.ts";

export class CursorMoves {
  readonly #index: RecordingIndex;
  readonly #gate: Gate;
  readonly #main: Cursor;
  readonly #cursors: ConnectionCursors;
  readonly #pace: RecordedPace;
  readonly #patience: Patience;
  /** Whether each connection has its own cursor, so that the main cursor only opens connections. */
  readonly #opens: boolean;
  #played = 0;

  constructor(
    { index, gate }: CursorEngineParts,
    main: Cursor,
    cursors: ConnectionCursors,
    pace: RecordedPace,
    patience: Patience,
    opens: boolean,
  ) {
    this.#index = index;
    this.#gate = gate;
    this.#main = main;
    this.#cursors = cursors;
    this.#pace = pace;
    this.#patience = patience;
    this.#opens = opens;
  }

  /** The number of events that the cursors have passed. */
  get played(): number {
    return this.#played;
  }

  /** Whether the cursor only opens connections at this event. It always plays packets itself. */
  isOpener(cursor: Cursor, event: EventNumber): boolean {
    return this.#opens && cursor === this.#main && this.#index.kind(event) !== RecordKind.packet;
  }

  block(cursor: Cursor, state: "waiting" | "delivering", nowMs: number): void {
    // An unrelated act may have woken the cursor. Its wait then goes on from when it began.
    if (cursor.waitsFor !== cursor.event) cursor.sinceMs = nowMs;
    cursor.state = state;
    cursor.waitsFor = cursor.event;
    if (state === "waiting") cursor.waited = true;
    this.#patience.watch(cursor);
  }

  /** Moves the cursor past its event. */
  pass(cursor: Cursor): void {
    const { event } = cursor;
    const timeNs = this.#index.timeNs(event);
    if (!this.isOpener(cursor, event)) {
      const isPlayed = this.#gate.concerns(cursor, event);
      if (isPlayed) cursor.clockNs = timeNs;
      if (cursor.counts && !cursor.isRepeating && (isPlayed || !this.#gate.isPlayedApart(event)))
        this.#played++;
    }
    if (cursor === this.#main) this.#gate.pass(event);
    if (cursor.isLoose && !cursor.gaveUp && this.#gate.isDeed(event))
      this.#patience.noteApart(timeNs);
    cursor.previousNs = timeNs;
    cursor.advance();
    if (cursor !== this.#main) return this.wakeFollower();
    for (const one of this.#pace.takePassed(cursor)) this.#cursors.wake(one);
  }

  /** This many events have happened that no cursor passes. */
  skip(events: number): void {
    this.#played += events;
  }

  /** A cursor has moved that the main cursor may be following. */
  wakeFollower(): void {
    if (this.#main.state === "following") this.#cursors.wake(this.#main);
  }

  /** Gives up a connection that the process did not open: `connect` and all events after it. */
  giveUpConnect(connect: number, wait: Wait): void {
    this.#played += this.#cursors.places.lengthOf(this.#index.connection(connect));
    this.#gate.giveUp(connect, wait);
  }

  /** Gives the connection up if its process is gone. Returns whether it is. */
  giveUpIfGone(connect: number): boolean {
    const isGone = this.#gate.isGone(this.#index.sender(connect));
    if (isGone) this.giveUpConnect(connect, gone);
    return isGone;
  }
}
