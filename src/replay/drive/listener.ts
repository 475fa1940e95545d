/**
 * Takes what a live process sends on one connection: compares it with the recording and notes in the
 * schedule how far it is. What a client asks may turn out to be an exchange of another connection of
 * its pool: see conversation.ts.
 */
import type { Direction } from "../../base/direction.ts";
import type { Comparison } from "../compare/compare.ts";
import type { Conversation, Heard, Turn } from "../match/conversation.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** What a listener works with. */
export interface ListenerParts {
  readonly schedule: Schedule;
  /** The direction that the process sends in. */
  readonly direction: Direction;
  /** The comparison from the offset `from` on; undefined with `--no-compare`. */
  comparisonFor(connection: number, from: number): Comparison | undefined;
  /** Absent where exchanges stay where they were recorded. */
  readonly conversation: Conversation | undefined;
  /** Bytes are kept until it is clear what they ask. */
  onHeld(): void;
  /** An exchange is played here that was recorded elsewhere, or at another time. */
  onMoved(connection: number): void;
}

export class Listener implements Heard {
  readonly #parts: ListenerParts;
  #connection: number;
  #comparison: Comparison | undefined;
  /** Without a comparison: how far the process is by count. */
  #countedBytes = 0;

  constructor(parts: ListenerParts, connection: number) {
    this.#parts = parts;
    this.#connection = connection;
    this.#comparison = parts.comparisonFor(connection, 0);
  }

  /** The recorded connection, or detached exchange, that is played now. */
  get connection(): number {
    return this.#connection;
  }

  /** How far the process is in the recorded stream. */
  get position(): number {
    return this.#comparison?.position ?? this.#countedBytes;
  }

  get hasDiffered(): boolean {
    return this.#comparison?.hasDiffered ?? false;
  }

  /** Whether bytes are kept until it is clear what they ask. */
  get isHolding(): boolean {
    return this.#parts.conversation?.isHolding ?? false;
  }

  /**
   * Whether what the process is to send up to the offset `to` is a part of what differs now, or is
   * covered by a mask, so that fewer bytes may be all that come.
   */
  isAstrayUpTo(to: number): boolean {
    const { conversation } = this.#parts;
    if (conversation !== undefined && to > conversation.questionTo) return false;
    return this.hasDiffered || (this.#comparison?.foreseenBytes ?? 0) >= to;
  }

  /** The process is quiet: what a mask covers need not come any more. */
  foresee(): void {
    this.#comparison?.foresee();
  }

  take(bytes: Uint8Array): void {
    const { conversation } = this.#parts;
    if (conversation === undefined) this.#compare(bytes);
    else this.#follow(conversation, conversation.take(bytes, this));
  }

  /** Something was delivered to the process: what it asked before that may be due now. */
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
    const { conversation } = this.#parts;
    this.settle();
    if (conversation !== undefined) this.#follow(conversation, conversation.end(how, this));
    this.#finishComparison();
    this.#noteEnd(how, this.#connection);
    if (conversation === undefined || conversation.isEnding(how)) return;
    // What the process has not asked for on the connection itself, it will not ask for here.
    if (conversation.base !== this.#connection) this.#noteEnd(how, conversation.base);
  }

  /** See {@link LiveEnd.tell}. */
  tell(): string | undefined {
    return this.#comparison?.tell();
  }

  finish(): void {
    this.settle();
    this.#comparison?.finish();
  }

  /** What a mask covers at the end of the stream counts as sent. */
  #finishComparison(): void {
    const { schedule, direction } = this.#parts;
    this.#comparison?.finish();
    if (this.#comparison === undefined || this.#comparison.hasDiffered) return;
    schedule.noteBytes(this.#connection, direction, this.#comparison.position);
  }

  #noteEnd(how: "end" | "reset", connection: number): void {
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

  #begin({ connection, from, isMoved }: Extract<Turn, { readonly type: "begin" }>): void {
    this.#comparison?.tell();
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
    // Where bytes differ in number, their count says nothing about the next question.
    const mostBytes = this.hasDiffered ? (conversation?.questionTo ?? Infinity) : Infinity;
    const position = Math.min(this.position, mostBytes);
    schedule.noteBytes(this.#connection, direction, position, isAstray);
  }
}
