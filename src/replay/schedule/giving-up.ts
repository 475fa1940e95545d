/**
 * Gives up events when patience (patience.ts) has ended. An event that the process has yet to cause
 * counts as done. If the process does not take a delivery, the connection leaves the common order.
 */
import type { EventNumber } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Verdicts } from "../findings/verdicts.ts";
import type { Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { ConnectionCursors } from "./connection-cursors.ts";
import type { Cursor } from "./cursor.ts";
import type { CursorMoves } from "./cursor-moves.ts";
import type { CursorEngineParts } from "./engine-parts.ts";
import type { Gate } from "./gate.ts";
import type { EndedWait, Patience } from "./patience.ts";

export class GivingUp {
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #verdicts: Verdicts;
  readonly #gate: Gate;
  readonly #main: Cursor;
  readonly #cursors: ConnectionCursors;
  readonly #moves: CursorMoves;
  readonly #patience: Patience;

  constructor(
    parts: CursorEngineParts,
    main: Cursor,
    cursors: ConnectionCursors,
    moves: CursorMoves,
    patience: Patience,
  ) {
    this.#index = parts.index;
    this.#progress = parts.progress;
    this.#verdicts = parts.verdicts;
    this.#gate = parts.gate;
    this.#main = main;
    this.#cursors = cursors;
    this.#moves = moves;
    this.#patience = patience;
  }

  /** Gives up the events that cursors have waited for too long. */
  giveUpOverdue(nowMs: number): void {
    const ended = this.#patience.takeEnded([this.#main, ...this.#cursors.all()]);
    for (const one of ended)
      if (one.cursor.state === "delivering") this.#giveUpDelivery(one, nowMs);
      else this.#giveUpAct(one, nowMs);
  }

  /** The process did not cause the event. */
  #giveUpAct({ cursor, wait }: EndedWait, nowMs: number): void {
    const { event } = cursor;
    cursor.gaveUp = true;
    this.#progress.noteDeparture(this.#index.sender(event));
    if (this.#moves.isOpener(cursor, event)) {
      const connect = this.#cursors.places.firstOf(this.#index.connection(event));
      this.#moves.giveUpConnect(connect, wait);
    } else this.#gate.giveUp(event, wait);
    if (cursor === this.#main) this.#setApart(event, nowMs);
    this.#cursors.wake(cursor);
  }

  /** A client that does not ask in time holds up nothing else: its connection is played apart. */
  #setApart(event: EventNumber, nowMs: number): void {
    const isClient = this.#index.direction(event) === Direction.toServer;
    if (!isClient || this.#index.kind(event) !== RecordKind.data) return;
    const end = this.#gate.senderEnd(event);
    if (!this.#cursors.loosen(end, this.#main, nowMs)) return;
    const cursor = this.#cursors.get(end);
    if (cursor !== undefined) cursor.gaveUp = true;
  }

  /** The process did not take the event: plays the connection apart, or stalls its own cursor. */
  #giveUpDelivery({ cursor, wait }: EndedWait, nowMs: number): void {
    const { event } = cursor;
    this.#progress.noteDeparture(this.#index.receiver(event));
    if (this.#index.kind(event) === RecordKind.packet) {
      this.#patience.noteMove();
      return this.#goOn(cursor);
    }
    this.#verdicts.stuck(event, wait);
    if (cursor !== this.#main) {
      this.#cursors.stall(cursor);
      return this.#moves.wakeFollower();
    }
    const end = this.#gate.receiverEnd(event);
    const own = this.#cursors.start(end, this.#cursors.places.placeOf(event), nowMs);
    this.#moves.block(own, "delivering", nowMs);
    this.#goOn(cursor);
  }

  #goOn(cursor: Cursor): void {
    this.#moves.pass(cursor);
    this.#cursors.wake(cursor);
  }
}
