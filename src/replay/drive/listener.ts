/**
 * Takes what a live process sends on one connection, compares it with the recording, and notes the
 * progress in the schedule. A client's question may turn out to be an exchange of another
 * connection of its pool: see conversation.ts.
 */
import type { ConnectionNumber } from "../../base/ids.ts";
import type { Direction } from "../../base/direction.ts";
import type { Comparison } from "../compare/compare.ts";
import type { Conversation, Heard, Turn } from "../match/conversation.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** The collaborators of a listener. */
export interface ListenerParts {
  readonly schedule: Schedule;
  /** The direction in which the process sends. */
  readonly direction: Direction;
  /** Creates the comparison from the offset `from` on; undefined if bytes are not compared. */
  comparisonFor(connection: ConnectionNumber, from: number): Comparison | undefined;
  /** Absent where exchanges stay where they were recorded. */
  readonly conversation: Conversation | undefined;
  /** The conversation holds bytes until it is clear which question they ask. */
  onHeld(): void;
  /** An exchange is played here that was recorded on another connection, or at another time. */
  onMoved(connection: ConnectionNumber): void;
  /** The live connection is not `from`, but `to`. */
  onRematched(from: ConnectionNumber, to: ConnectionNumber): void;
}

export class Listener implements Heard {
  readonly #parts: ListenerParts;
  #connection: ConnectionNumber;
  #comparison: Comparison | undefined;
  /** The position by count, used without a comparison. */
  #countedBytes = 0;

  constructor(parts: ListenerParts, connection: ConnectionNumber) {
    this.#parts = parts;
    this.#connection = connection;
    this.#comparison = parts.comparisonFor(connection, 0);
    this.#noteAwaitedUnit();
  }

  /** The recorded connection or detached exchange that is played now. */
  get connection(): number {
    return this.#connection;
  }

  /** The position in the recorded stream that the process has reached. */
  get position(): number {
    return this.#comparison?.position ?? this.#countedBytes;
  }

  get hasDiffered(): boolean {
    return this.#comparison?.hasDiffered ?? false;
  }

  /** Whether the conversation holds bytes until it is clear which question they ask. */
  get isHolding(): boolean {
    return this.#parts.conversation?.isHolding ?? false;
  }

  /**
   * Whether the bytes up to the offset `to` belong to a difference, or are covered by a mask, so
   * that fewer bytes may come.
   */
  isAstrayUpTo(to: number): boolean {
    const { conversation } = this.#parts;
    if (conversation !== undefined && to > conversation.questionTo) return false;
    return this.hasDiffered || (this.#comparison?.foreseenBytes ?? 0) >= to;
  }

  /** The process is quiet, so bytes that a mask covers need not come any more. */
  foresee(): void {
    this.#comparison?.foresee();
    this.#noteAwaitedUnit();
  }

  take(bytes: Uint8Array): void {
    const { conversation } = this.#parts;
    if (conversation === undefined) this.#compare(bytes);
    else this.#follow(conversation, conversation.take(bytes, this));
  }

  /** Something was delivered to the process, so a question that it asked earlier may be due now. */
  noteDelivered(): void {
    const { conversation } = this.#parts;
    if (conversation?.isHolding === true)
      this.#follow(conversation, conversation.retry(this, false));
  }

  /** The process has fallen quiet. */
  settle(): void {
    const { conversation } = this.#parts;
    if (conversation?.isHolding === true)
      this.#follow(conversation, conversation.retry(this, true));
  }

  /** The process ended its direction, or reset the connection. */
  end(how: "end" | "reset"): void {
    const { conversation, schedule } = this.#parts;
    this.settle();
    if (conversation !== undefined) this.#follow(conversation, conversation.end(how, this));
    conversation?.close();
    if (conversation !== undefined) schedule.noteClosed(conversation.base, conversation.isFinished);
    this.#finishComparison();
    this.#noteEnd(how, this.#connection);
    if (conversation === undefined || conversation.isEnding(how)) return;
    // The process will not ask here for what it did not ask for on its own connection.
    if (conversation.base !== this.#connection) this.#noteEnd(how, conversation.base);
  }

  finish(): void {
    this.settle();
    this.#comparison?.finish();
  }

  /** Bytes that a mask covers at the end of the stream count as sent. */
  #finishComparison(): void {
    const { schedule, direction } = this.#parts;
    this.#comparison?.finish();
    this.#noteAwaitedUnit();
    if (this.#comparison === undefined || this.#comparison.hasDiffered) return;
    schedule.noteBytes(this.#connection, direction, this.#comparison.position);
  }

  #noteAwaitedUnit(): void {
    const { schedule, direction } = this.#parts;
    schedule.noteAwaitedUnit(this.#connection, direction, this.#comparison?.awaitedUnit);
  }

  #noteEnd(how: "end" | "reset", connection: ConnectionNumber): void {
    const { schedule, direction } = this.#parts;
    if (how === "reset") schedule.noteReset(connection, direction);
    else schedule.noteEnd(connection, direction);
  }

  #follow(conversation: Conversation, first: Turn): void {
    for (let turn = first; ;) {
      if (turn.type === "wait") return this.#parts.onHeld();
      if (turn.type === "begin") this.#begin(turn);
      if (turn.bytes.length > 0) this.#compare(turn.bytes);
      if (turn.rest.length === 0) return;
      turn = conversation.take(turn.rest, this);
    }
  }

  #begin({ connection, from, isMoved, left }: Extract<Turn, { readonly type: "begin" }>): void {
    this.#comparison?.conclude();
    if (left !== undefined) {
      this.#parts.onRematched(left.connection, connection);
      this.#parts.schedule.noteRematched(left.connection, left.exchange);
    }
    this.#connection = connection;
    this.#comparison = this.#parts.comparisonFor(connection, from);
    this.#countedBytes = from;
    if (!isMoved) return;
    this.#parts.onMoved(connection);
    this.#parts.schedule.noteAsked(connection);
  }

  #compare(bytes: Uint8Array): void {
    const { schedule, direction, conversation } = this.#parts;
    const isAstray = this.hasDiffered;
    this.#comparison?.push(bytes, 0, bytes.length);
    this.#countedBytes += bytes.length;
    // After a difference in length, the count of bytes says nothing about the next question.
    const mostBytes = this.hasDiffered ? (conversation?.questionTo ?? Infinity) : Infinity;
    const position = Math.min(this.position, mostBytes);
    this.#noteAwaitedUnit();
    schedule.noteBytes(this.#connection, direction, position, isAstray);
  }
}
