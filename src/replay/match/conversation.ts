/**
 * What a live client asks on one connection, exchange by exchange: pure.
 *
 * As long as it goes on as recorded, this only keeps count. At a quiet point, where all that was asked
 * has been answered, a question that does not continue the client's own recording is looked for among
 * the exchanges of its pool (exchanges.ts). What cannot be told yet is held until more comes.
 *
 * A question that fits nothing is the client's own next one, asked otherwise: a difference. After its
 * answer, comparing starts anew.
 */
import { Direction } from "../../base/direction.ts";
import { type Exchange, exchangeAt } from "../../recording/exchange.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { endOf, type Progress } from "../progress/progress.ts";
import type { Exchanges } from "./exchanges.ts";

/** How the comparison of what the client sends stands. */
export interface Heard {
  /** In the recorded stream. */
  readonly position: number;
  readonly hasDiffered: boolean;
}

/**
 * What becomes of bytes. `goOn`: they go on with what is compared. `begin`: from here on the client is
 * compared with `connection` from the offset `from` on. `wait`: they are held. `bytes` are those to be
 * compared now, `rest` those to be taken next.
 */
export type Turn =
  | { readonly type: "goOn"; readonly bytes: Uint8Array; readonly rest: Uint8Array }
  | {
      readonly type: "begin";
      readonly bytes: Uint8Array;
      readonly rest: Uint8Array;
      readonly connection: number;
      readonly from: number;
      /** It is played elsewhere than recorded, or at another time. */
      readonly isMoved: boolean;
    }
  | { readonly type: "wait" };

export interface ConversationParts {
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly exchanges: Exchanges;
  /** Whether the schedule is past `event`, which has not happened: it was given up. */
  readonly isPast: (event: number) => boolean;
}

/** A question that is longer is not taken for another one any more. */
const mostQuestionBytes = 0x1_0000;

const nothing = new Uint8Array(0);

export class Conversation {
  readonly #parts: ConversationParts;
  /** The recorded connection that the live one was matched with. */
  readonly #base: number;
  #connection: number;
  #exchange: Exchange;
  /** On the connection that was matched, the exchange before the last one. */
  #before: Exchange | undefined;
  /** What has come of the question; undefined if it cannot be taken for another one any more. */
  #question: Uint8Array | undefined = nothing;
  #held = nothing;

  constructor(parts: ConversationParts, connection: number) {
    this.#parts = parts;
    this.#base = connection;
    this.#connection = connection;
    this.#exchange = parts.exchanges.open(connection);
  }

  /** The connection that is played now: the one that was matched, or a detached exchange. */
  get connection(): number {
    return this.#connection;
  }

  /** The connection that was matched. */
  get base(): number {
    return this.#base;
  }

  /** Where the question that is being asked ends. */
  get questionTo(): number {
    return this.#exchange.questionTo;
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** The client sends `bytes`, which are kept if the answer is to wait. */
  take(bytes: Uint8Array, heard: Heard): Turn {
    return this.#take(this.#unhold(bytes), heard, false);
  }

  /** What is held is looked at again: something was delivered; or, if `isQuiet`, nothing more comes. */
  retry(heard: Heard, isQuiet: boolean): Turn {
    return this.#take(this.#unhold(nothing), heard, isQuiet);
  }

  /** Whether the recorded client ends so in the exchange that is played now. */
  isEnding(how: "end" | "reset"): boolean {
    return this.#exchange.ends === how;
  }

  /**
   * The client ends the connection. What is held was retried before. Its own end comes first, then any
   * of the pool.
   */
  end(how: "end" | "reset", heard: Heard): Turn {
    if (this.isEnding(how) || !this.#isQuiet(heard)) return goOn(nothing);
    const own = this.#own().findLast(
      (one) => one.ends === how && one.questionFrom === one.questionTo,
    );
    const exchange = own ?? this.#parts.exchanges.findEnd(this.#base, how);
    return exchange === undefined ? goOn(nothing) : this.#begin(exchange, nothing, heard);
  }

  #unhold(bytes: Uint8Array): Uint8Array {
    const all = this.#held.length === 0 ? bytes : concat(this.#held, bytes);
    this.#held = nothing;
    return all;
  }

  #hold(bytes: Uint8Array): Turn {
    this.#held = bytes.slice();
    return { type: "wait" };
  }

  #take(bytes: Uint8Array, heard: Heard, isQuiet: boolean): Turn {
    if (bytes.length === 0) return goOn(nothing);
    const isAsking = !heard.hasDiffered && heard.position < this.#exchange.questionTo;
    if (isAsking) return this.#ask(bytes, heard, isQuiet);
    if (isQuiet || this.#isQuiet(heard)) return this.#choose(bytes, heard, isQuiet);
    return heard.hasDiffered ? goOn(bytes) : this.#goAhead(bytes);
  }

  /** Everything that was asked has been answered. */
  #isQuiet({ position, hasDiffered }: Heard): boolean {
    if (!hasDiffered && position < this.#exchange.questionTo) return false;
    const end = endOf(this.#connection, Direction.toServer);
    return this.#parts.progress.receivedBytes(end) >= this.#exchange.answerTo;
  }

  /** A question goes on. */
  #ask(bytes: Uint8Array, heard: Heard, isAll: boolean): Turn {
    const exchange = this.#exchange;
    const mostBytes = exchange.questionTo - heard.position;
    const isMasked = this.#parts.exchanges.isMasked(this.#base);
    const [now, rest] = isMasked ? [bytes, nothing] : split(bytes, mostBytes);
    const asked = this.#question;
    if (asked === undefined || asked.length + now.length > mostQuestionBytes) {
      this.#question = undefined;
      return goOn(now, rest);
    }
    const question = concat(asked, now);
    if (this.#parts.exchanges.fit(exchange, question) !== "no") {
      this.#question = question;
      return goOn(now, rest);
    }
    return this.#askOtherwise(concat(asked, bytes), bytes, heard, isAll);
  }

  /** It began like one question and goes on like another. */
  #askOtherwise(question: Uint8Array, bytes: Uint8Array, heard: Heard, isAll: boolean): Turn {
    const finding = this.#parts.exchanges.find(this.#base, question, isAll, false);
    if (finding.type === "ambiguous") return this.#hold(bytes);
    if (finding.type === "none") {
      this.#question = undefined;
      return goOn(bytes);
    }
    this.#parts.exchanges.giveBack(this.#exchange, this.#before);
    return this.#begin(finding.exchange, question, heard);
  }

  /** The client asks its next question before it has got the whole answer. */
  #goAhead(bytes: Uint8Array): Turn {
    const { index, exchanges } = this.#parts;
    const next = exchanges.after(this.#exchange);
    const follows = exchangeAt(index, this.#exchange.connection, this.#exchange.to);
    if (this.#connection !== this.#base || next === undefined || next.from !== follows?.from)
      return this.#hold(bytes);
    this.#reach(next);
    this.#exchange = next;
    this.#question = undefined;
    return goOn(bytes);
  }

  /** The client asks a new question. */
  #choose(bytes: Uint8Array, heard: Heard, isAll: boolean): Turn {
    const { exchanges } = this.#parts;
    const own = this.#own();
    for (const mayGoOn of [false, true]) {
      const mine = own.find((one) => this.#fits(one, bytes, mayGoOn));
      if (mine !== undefined) return this.#begin(mine, bytes, heard);
      const finding = exchanges.find(this.#base, bytes, isAll, mayGoOn);
      if (finding.type === "ambiguous") return this.#hold(bytes);
      if (finding.type === "found") return this.#begin(finding.exchange, bytes, heard);
    }
    const [next] = own;
    return next === undefined ? goOn(bytes) : this.#begin(next, bytes, heard);
  }

  #fits(exchange: Exchange, bytes: Uint8Array, mayGoOn: boolean): boolean {
    const lengthBytes = exchange.questionTo - exchange.questionFrom;
    if (lengthBytes === 0) return false;
    const isLonger = bytes.length > lengthBytes && !this.#parts.exchanges.isMasked(this.#base);
    if (isLonger && !mayGoOn) return false;
    const question = isLonger ? bytes.subarray(0, lengthBytes) : bytes;
    return this.#parts.exchanges.fit(exchange, question) !== "no";
  }

  /** What continues this connection: the exchange after the last one, and that on the matched one. */
  #own(): Exchange[] {
    const { exchanges } = this.#parts;
    const next = exchanges.after(this.#exchange);
    const onBase =
      this.#connection === this.#base
        ? undefined
        : exchanges.after(exchanges.reachedOn(this.#base));
    return [next, onBase].filter((one) => one !== undefined);
  }

  #reach(exchange: Exchange): void {
    this.#before = this.#parts.exchanges.reachedOn(this.#base);
    this.#parts.exchanges.reach(exchange);
  }

  #begin(exchange: Exchange, bytes: Uint8Array, heard: Heard): Turn {
    const { exchanges, isPast } = this.#parts;
    const isInOrder =
      exchange.connection === this.#base &&
      exchanges.after(exchanges.reachedOn(this.#base))?.from === exchange.from &&
      !isPast(exchange.first);
    const goesOn =
      isInOrder &&
      this.#connection === this.#base &&
      !heard.hasDiffered &&
      heard.position === exchange.questionFrom;
    if (isInOrder) this.#reach(exchange);
    this.#connection = isInOrder ? this.#base : exchanges.detach(exchange);
    this.#exchange = exchange;
    const isMasked = exchanges.isMasked(this.#base);
    const lengthBytes = exchange.questionTo - exchange.questionFrom;
    const [now, rest] = isMasked ? [bytes, nothing] : split(bytes, lengthBytes || bytes.length);
    this.#question = now.length > mostQuestionBytes ? undefined : now.slice();
    if (goesOn) return goOn(now, rest);
    const connection = this.#connection;
    const from = exchange.questionFrom;
    return { type: "begin", bytes: now, rest, connection, from, isMoved: !isInOrder };
  }
}

function goOn(bytes: Uint8Array, rest: Uint8Array = nothing): Turn {
  return { type: "goOn", bytes, rest };
}

function split(bytes: Uint8Array, at: number): [Uint8Array, Uint8Array] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
