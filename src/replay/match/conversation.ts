/**
 * Follows the exchanges of a live client on one connection. It is pure.
 *
 * As long as the client follows the recording, this class only counts. At a quiet point, when every
 * question has been answered, the client may ask a question that does not continue its own
 * recording. Then the class searches the exchanges of the connection's pool (exchanges.ts). It
 * holds bytes that do not decide the search yet.
 *
 * Connections may begin alike, as those of a database do, and only a later question tells them
 * apart. If a question continues another recorded connection that began in the same way, and that
 * no live connection has taken, the live one is that connection from its beginning.
 *
 * A question that fits no exchange counts as the client's own next question in a different form,
 * which is a difference. The comparison starts anew after its answer.
 */
import { type ConnectionNumber, endOf, type EventNumber } from "../../base/ids.ts";
import { concat } from "../../base/bytes.ts";
import { Direction } from "../../base/direction.ts";
import { type Exchange, exchangeAt } from "../../recording/exchange.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Progress } from "../progress/progress.ts";
import type { Exchanges, Finding, Search } from "./exchanges.ts";

/** The state of the comparison of what the client sends. */
export interface Heard {
  /** The offset in the recorded stream. */
  readonly position: number;
  readonly hasDiffered: boolean;
}

/**
 * What to do with the client's bytes. `bytes` are to be compared now, `rest` is to be taken next.
 *
 * - `goOn`: continue the current comparison.
 * - `begin`: compare the client with `connection` from now on, starting at the offset `from`.
 * - `wait`: the bytes are held until more come.
 */
export type Turn =
  | { readonly type: "goOn"; readonly bytes: Uint8Array; readonly rest: Uint8Array }
  | {
      readonly type: "begin";
      readonly bytes: Uint8Array;
      readonly rest: Uint8Array;
      readonly connection: ConnectionNumber;
      readonly from: number;
      /** The exchange is played in another place or at another time than recorded. */
      readonly isMoved: boolean;
      /** The live connection is not this one, as was assumed, but that of `exchange`. */
      readonly left?: { readonly connection: ConnectionNumber; readonly exchange: Exchange };
    }
  | { readonly type: "wait" };

export interface ConversationParts {
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly exchanges: Exchanges;
  readonly matching: Rematching;
  /**
   * Whether the schedule has passed `event`. Asked about events that have not happened: it gave
   * them up.
   */
  readonly isPast: (event: EventNumber) => boolean;
}

/** See {@link Matching}. */
interface Rematching {
  alternatives(connection: ConnectionNumber): readonly ConnectionNumber[];
  rematch(from: ConnectionNumber, to: ConnectionNumber): void;
}

/** A longer question is no longer mistaken for another one, so it is not searched for. */
const mostQuestionBytes = 0x1_0000;

const nothing = new Uint8Array(0);

export class Conversation {
  readonly #parts: ConversationParts;
  /** The recorded connection that the live one was matched with. */
  #base: ConnectionNumber;
  /** Whether the client has asked the same as on the matched connection, so far. */
  #isAlike = true;
  #connection: ConnectionNumber;
  #exchange: Exchange;
  /** The exchange before the last one on the matched connection. */
  #before: Exchange | undefined;
  /** The bytes of the current question; undefined once it can no longer be another question. */
  #question: Uint8Array | undefined = nothing;
  #held = nothing;

  constructor(parts: ConversationParts, connection: ConnectionNumber) {
    this.#parts = parts;
    this.#base = connection;
    this.#connection = connection;
    this.#exchange = parts.exchanges.open(connection);
  }

  /** The connection that is played now: the matched one, or a detached exchange. */
  get connection(): number {
    return this.#connection;
  }

  /** The recorded connection that was matched. */
  get base(): number {
    return this.#base;
  }

  /** Where the current question ends in the recorded stream. */
  get questionTo(): number {
    return this.#exchange.questionTo;
  }

  /**
   * Whether everything that was asked on the matched connection has been asked, here or elsewhere.
   */
  get isFinished(): boolean {
    return this.#parts.exchanges.isFinished(this.#base);
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** Takes `bytes` from the client, and holds them if the answer is `wait`. */
  take(bytes: Uint8Array, heard: Heard): Turn {
    return this.#take(this.#unhold(bytes), heard, false);
  }

  /**
   * Looks at held bytes again after a delivery, or, if `isQuiet`, because the client has paused.
   */
  retry(heard: Heard, isQuiet: boolean): Turn {
    return this.#take(this.#unhold(nothing), heard, isQuiet);
  }

  /** Whether the recorded client ends the current exchange in this way. */
  isEnding(how: "end" | "reset"): boolean {
    return this.#exchange.ends === how;
  }

  /**
   * The client ends the connection. Call {@link retry} first if bytes are held. The client's own
   * recorded end takes precedence over those of its pool.
   */
  end(how: "end" | "reset", heard: Heard): Turn {
    if (this.isEnding(how) || this.#isCutOff()) return goOn(nothing);
    const exchange = this.#isQuiet(heard) ? this.#findEnd(how) : this.#findBreak(how, heard);
    return exchange === undefined ? goOn(nothing) : this.#begin(exchange, nothing, heard);
  }

  /** Where the recorded server broke the client off, it is chance how far the client gets. */
  #isCutOff(): boolean {
    return this.#parts.progress.cuts.isCut(this.#connection, Direction.toServer);
  }

  #findEnd(how: "end" | "reset"): Exchange | undefined {
    const own = this.#own().findLast((one) => isOnlyEnd(one, how));
    return own ?? this.#parts.exchanges.findEnd(this.#base, how);
  }

  /**
   * The recorded end of a client that broke off the answer of an exchange, which was moved here.
   */
  #findBreak(how: "end" | "reset", { position, hasDiffered }: Heard): Exchange | undefined {
    const isAsked = !hasDiffered && position >= this.#exchange.questionTo;
    if (this.#connection === this.#base || !isAsked) return undefined;
    const next = this.#parts.exchanges.after(this.#exchange);
    return next !== undefined && isOnlyEnd(next, how) ? next : undefined;
  }

  /** The client has ended the connection. */
  close(): void {
    this.#parts.exchanges.noteEnded(this.#base);
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
    if (heard.hasDiffered) this.#isAlike = false;
    const isAsking = !heard.hasDiffered && heard.position < this.#exchange.questionTo;
    if (isAsking) return this.#ask(bytes, heard, isQuiet);
    if (isQuiet || this.#isQuiet(heard)) return this.#choose(bytes, heard, isQuiet);
    return heard.hasDiffered ? goOn(bytes) : this.#goAhead(bytes, heard);
  }

  /** Whether every question has been answered. */
  #isQuiet({ position, hasDiffered }: Heard): boolean {
    if (!hasDiffered && position < this.#exchange.questionTo) return false;
    const end = endOf(this.#connection, Direction.toServer);
    return this.#parts.progress.receivedBytes(end) >= this.#exchange.answerTo;
  }

  /** Takes bytes that continue a question. */
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

  /** Takes bytes that no longer fit the question, which began like another one. */
  #askOtherwise(question: Uint8Array, bytes: Uint8Array, heard: Heard, isAll: boolean): Turn {
    const finding = this.#find({ question, isAll, mayGoOn: false }, this.#exchange.questionFrom);
    if (finding.type === "ambiguous") return this.#hold(bytes);
    if (finding.type === "none") {
      this.#question = undefined;
      return goOn(bytes);
    }
    if (finding.isAlike) return this.#beginOn(finding.exchange, question);
    this.#parts.exchanges.giveBack(this.#exchange, this.#before);
    return this.#begin(finding.exchange, question, heard);
  }

  /** Takes a question that the client asks before it has the whole answer to the last one. */
  #goAhead(bytes: Uint8Array, heard: Heard): Turn {
    const { index, exchanges } = this.#parts;
    const next = exchanges.after(this.#exchange);
    const follows = exchangeAt(index, this.#exchange.connection, this.#exchange.to);
    if (this.#connection !== this.#base || next === undefined || next.from !== follows?.from)
      return this.#hold(bytes);
    this.#reach(next);
    this.#exchange = next;
    this.#question = undefined;
    const isMasked = exchanges.isMasked(this.#base);
    // The client may be several questions ahead.
    return isMasked ? goOn(bytes) : goOn(...split(bytes, next.questionTo - heard.position));
  }

  /** Finds the exchange that a new question belongs to. */
  #choose(bytes: Uint8Array, heard: Heard, isAll: boolean): Turn {
    const own = this.#own();
    for (const mayGoOn of [false, true]) {
      const mine = own.find((one) => this.#fits(one, bytes, mayGoOn));
      if (mine !== undefined) return this.#begin(mine, bytes, heard);
      const search = { question: bytes, isAll, mayGoOn };
      const finding = this.#find(search, this.#exchange.questionTo);
      if (finding.type === "ambiguous") return this.#hold(bytes);
      if (finding.type === "none") continue;
      if (finding.isAlike) return this.#beginOn(finding.exchange, bytes);
      return this.#begin(finding.exchange, bytes, heard);
    }
    const [next] = own;
    return next === undefined ? goOn(bytes) : this.#begin(next, bytes, heard);
  }

  /**
   * Finds a question that the client asks at the offset `at`: on other connections of its pool that
   * are open, on those that begin alike, then on those that are over. The first question after the
   * opening says which connection it is, a later one rather how a pool distributes its requests.
   */
  #find(search: Search, at: number): Finding & { isAlike?: boolean } {
    const { exchanges, index } = this.#parts;
    const isFirst = at === openingOf(index, this.#base).questionTo;
    const early = isFirst ? this.#findAlike(search, at) : exchanges.findOpen(this.#base, search);
    if (early.type !== "none") return early;
    const late = isFirst ? early : this.#findAlike(search, at);
    return late.type === "none" ? exchanges.find(this.#base, search) : late;
  }

  #findAlike(search: Search, at: number): Finding & { isAlike?: boolean } {
    if (!this.#isAlike || at === 0) return { type: "none" };
    const others = this.#parts.matching.alternatives(this.#base);
    const finding = this.#parts.exchanges.findAlike(this.#base, at, others, search);
    return { ...finding, isAlike: true };
  }

  #fits(exchange: Exchange, bytes: Uint8Array, mayGoOn: boolean): boolean {
    const lengthBytes = exchange.questionTo - exchange.questionFrom;
    if (lengthBytes === 0) return false;
    const isLonger = bytes.length > lengthBytes && !this.#parts.exchanges.isMasked(this.#base);
    if (isLonger && !mayGoOn) return false;
    const question = isLonger ? bytes.subarray(0, lengthBytes) : bytes;
    return this.#parts.exchanges.fit(exchange, question) !== "no";
  }

  /**
   * The exchanges that continue this connection: the next one here, and the next on the matched
   * one.
   */
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
    else this.#isAlike = false;
    this.#connection = isInOrder ? this.#base : exchanges.detach(exchange);
    const [now, rest] = this.#begun(exchange, bytes);
    if (goesOn) return goOn(now, rest);
    const connection = this.#connection;
    const from = exchange.questionFrom;
    return { type: "begin", bytes: now, rest, connection, from, isMoved: !isInOrder };
  }

  /** The live connection is that of `exchange`, and has come that far. */
  #beginOn(exchange: Exchange, bytes: Uint8Array): Turn {
    const { exchanges, matching } = this.#parts;
    const { connection, questionFrom: from } = exchange;
    const left = { connection: this.#base, exchange };
    matching.rematch(this.#base, connection);
    exchanges.close(this.#base);
    this.#base = this.#connection = connection;
    for (let one = exchanges.open(connection); one.from < exchange.from;) {
      exchanges.reach(one);
      one = exchangeAt(this.#parts.index, connection, one.to) as Exchange;
    }
    this.#reach(exchange);
    const [now, rest] = this.#begun(exchange, bytes);
    return { type: "begin", bytes: now, rest, connection, from, isMoved: false, left };
  }

  /** Notes that `bytes` begin with the question of `exchange`, and splits them behind it. */
  #begun(exchange: Exchange, bytes: Uint8Array): [Uint8Array, Uint8Array] {
    this.#exchange = exchange;
    const isMasked = this.#parts.exchanges.isMasked(this.#base);
    const lengthBytes = exchange.questionTo - exchange.questionFrom;
    const [now, rest] = isMasked ? [bytes, nothing] : split(bytes, lengthBytes || bytes.length);
    this.#question = now.length > mostQuestionBytes ? undefined : now.slice();
    return [now, rest];
  }
}

function openingOf(index: RecordingIndex, connection: ConnectionNumber): Exchange {
  return exchangeAt(index, connection, index.connections.from(connection)) as Exchange;
}

function isOnlyEnd({ ends, questionFrom, questionTo }: Exchange, how: "end" | "reset"): boolean {
  return ends === how && questionFrom === questionTo;
}

function goOn(bytes: Uint8Array, rest: Uint8Array = nothing): Turn {
  return { type: "goOn", bytes, rest };
}

function split(bytes: Uint8Array, at: number): [Uint8Array, Uint8Array] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
