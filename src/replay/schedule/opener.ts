/**
 * Steers the main cursor when every connection has its own cursor. The main cursor starts
 * connections to the process. Where either side ended a connection in the recording, it stops until
 * that end has happened in the replay.
 */
import {
  connectionOf,
  type ContainerIndex,
  type EndId,
  type EventNumber,
  noEnd,
} from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Gate } from "./gate.ts";
import { Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { ConnectionCursors } from "./connection-cursors.ts";
import type { CursorEngineParts } from "./engine-parts.ts";

/**
 * The next action. The opener reuses one object.
 *
 * - `start`: start the cursor of `end`.
 * - `await`: wait until the process connects `end`, whose recorded connection is over here.
 * - `follow`: wait until the cursor of `end` has passed the event.
 * - `pass`: move on.
 */
export interface Opening {
  readonly type: "start" | "await" | "follow" | "pass";
  readonly end: EndId;
}

export class Opener {
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #gate: Gate;
  readonly #floods: boolean;
  readonly #cursors: ConnectionCursors;
  readonly #opening: { type: Opening["type"]; end: EndId } = { type: "pass", end: noEnd };

  constructor(parts: CursorEngineParts, cursors: ConnectionCursors) {
    this.#index = parts.index;
    this.#progress = parts.progress;
    this.#gate = parts.gate;
    this.#floods = parts.options.release.type === "flood";
    this.#cursors = cursors;
  }

  /**
   * Whether the main cursor must wait for the connections' cursors before it moves on to `event`. A
   * packet waits for all earlier events of connections, so that it does not arrive before anyone
   * listens.
   */
  mustFollowTo(event: EventNumber): boolean {
    if (this.#floods || this.#index.kind(event) !== RecordKind.packet) return false;
    return this.#cursors.isBehind(event);
  }

  /**
   * The action at `event`, which is not a packet. Carry it out and ask again, until it is `pass`.
   */
  ask(event: EventNumber): Opening {
    const sender = this.#index.sender(event);
    const receiver = this.#index.receiver(event);
    this.#opening.type = "pass";
    if (this.#gate.isPlayedTo(sender, event))
      this.#askAt(event, this.#gate.senderEnd(event), sender);
    if (this.#opening.type === "pass" && this.#gate.isPlayedTo(receiver, event))
      this.#askAt(event, this.#gate.receiverEnd(event), receiver);
    return this.#opening;
  }

  #askAt(event: EventNumber, end: EndId, container: ContainerIndex): void {
    this.#opening.end = end;
    const isOver = this.#cursors.places.lastOf(connectionOf(end), container) === event;
    if (this.#progress.playing(end) === Playing.inOrder) {
      const isToIt = end === this.#gate.receiverEnd(event);
      if (this.#index.kind(event) === RecordKind.connect && isToIt) this.#opening.type = "start";
      else if (isOver) this.#opening.type = "await";
    } else if ((isOver || this.#isEnding(event)) && this.#isAhead(end, event))
      this.#opening.type = "follow";
  }

  #isEnding(event: EventNumber): boolean {
    const kind = this.#index.kind(event);
    return kind === RecordKind.end || kind === RecordKind.reset;
  }

  /** Whether the cursor of `end` has yet to pass `event`. */
  #isAhead(end: EndId, event: EventNumber): boolean {
    const cursor = this.#cursors.get(end);
    if (cursor === undefined || cursor.isLeft || cursor.isAtEnd) return false;
    return cursor.pass === "deliver" || cursor.event <= event;
  }
}
