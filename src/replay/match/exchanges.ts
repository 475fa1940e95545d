/**
 * The exchanges that a live process has not asked for yet: pure.
 *
 * Which connection of a pool takes the next request is chance. So when a live client asks what its own
 * recording does not go on with, the question is looked for among the exchanges that the same process
 * had with the same port of the same server. The earliest with that question is detached from its
 * connection and played where it was asked.
 */
import { Direction } from "../../base/direction.ts";
import { type Exchange, exchangeAt, isAsked } from "../../recording/exchange.ts";
import { type ReadPayload, RecordedStream } from "../../recording/recorded-stream.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { type Fit, fitOf } from "../compare/fit.ts";
import { type Mask, masksFor } from "../compare/masks.ts";
import { Done, endOf, type Progress } from "../progress/progress.ts";

export interface ExchangesParts {
  /** The index of the process's own schedule: exchanges are detached from it. */
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly read: ReadPayload;
  /** Whether the schedule stands before `event`, or is past it. */
  readonly hasReached: (event: number) => boolean;
  readonly masks: readonly Mask[];
}

/** The search for a question. `ambiguous`: several fit so far. */
export type Finding =
  | { readonly type: "found"; readonly exchange: Exchange }
  | { readonly type: "ambiguous" }
  | { readonly type: "none" };

/** The exchanges between a process and a port of a server, but for those that open a connection. */
interface Pool {
  readonly exchanges: readonly Exchange[];
  /** Those before this one were asked for. */
  from: number;
}

/** An exchange that was taken out of its connection. */
interface Detached {
  /** The connection that it counts as now. */
  readonly number: number;
  isPlayed: boolean;
}

/** So much of two questions is compared to see whether they are the same. */
const sameBytes = 0x1_0000;

export class Exchanges {
  readonly #parts: ExchangesParts;
  /** By the place where they begin. */
  readonly #detached = new Map<number, Detached>();
  /** By connection that a live one has taken: where its last exchange on it begins. */
  readonly #reached = new Map<number, number>();
  readonly #pools = new Map<string, Pool>();
  readonly #patterns = new Map<number, readonly RegExp[]>();

  constructor(parts: ExchangesParts) {
    this.#parts = parts;
  }

  /** The first exchange of `connection`, which a live one has become. */
  open(connection: number): Exchange {
    const from = this.#parts.index.connections.from(connection);
    this.#reached.set(connection, from);
    return exchangeAt(this.#parts.index, connection, from) as Exchange;
  }

  /** The first after `exchange`, on its connection, that the process has to ask for and has not. */
  after(exchange: Exchange): Exchange | undefined {
    const { index } = this.#parts;
    let next = exchangeAt(index, exchange.connection, exchange.to);
    while (next !== undefined && (this.#isPlayed(next) || !isAsked(next)))
      next = exchangeAt(index, next.connection, next.to);
    return next;
  }

  /** The live process that is `exchange.connection` asks for the exchange, in its order. */
  reach({ connection, from }: Exchange): void {
    this.#reached.set(connection, from);
  }

  /** How far the live process that is `connection` has got on it. */
  reachedOn(connection: number): Exchange {
    const { index } = this.#parts;
    const from = this.#reached.get(connection) ?? index.connections.from(connection);
    return exchangeAt(index, connection, from) as Exchange;
  }

  /** Takes the exchange out of its connection, to be played elsewhere or at another time. */
  detach(exchange: Exchange): number {
    const { index, progress } = this.#parts;
    const known = this.#detached.get(exchange.from);
    if (known !== undefined) {
      known.isPlayed = true;
      return known.number;
    }
    const number = progress.admit(exchange.connection);
    index.detach(number, exchange.from, exchange.to);
    this.#detached.set(exchange.from, { number, isPlayed: true });
    const end = endOf(number, Direction.toServer);
    progress.mark(end, Done.connected);
    progress.noteSent(end, exchange.questionFrom);
    progress.noteReceived(end, exchange.answerFrom);
    return number;
  }

  /** It was asked for by mistake: the question went on otherwise. On its connection, `before` came before it. */
  giveBack(exchange: Exchange, before: Exchange | undefined): void {
    const detached = this.#detached.get(exchange.from);
    if (detached !== undefined) detached.isPlayed = false;
    else if (before !== undefined) this.#reached.set(exchange.connection, before.from);
  }

  /** How `question` fits that of the exchange. */
  fit(exchange: Exchange, question: Uint8Array): Fit {
    const range = { from: exchange.questionFrom, to: exchange.questionTo };
    const stream = this.#streamOf(exchange);
    return fitOf({ stream, ...range }, question, this.#patternsOf(exchange.connection));
  }

  /** Whether masks apply to what the client of `connection` sends, so that lengths may vary. */
  isMasked(connection: number): boolean {
    return this.#patternsOf(connection).length > 0;
  }

  /**
   * The earliest exchange with this question among those like `connection`. If `isAll`, no more of it
   * will come; if `mayGoOn`, more than the question may have come.
   */
  find(connection: number, question: Uint8Array, isAll: boolean, mayGoOn: boolean): Finding {
    const parts: Exchange[] = [];
    for (const exchange of this.#unplayed(connection)) {
      const lengthBytes = exchange.questionTo - exchange.questionFrom;
      if (lengthBytes === 0) continue;
      const isLonger = question.length > lengthBytes && !this.isMasked(connection);
      if (isLonger && !mayGoOn) continue;
      const fit = this.fit(exchange, isLonger ? question.subarray(0, lengthBytes) : question);
      if (fit === "whole") return { type: "found", exchange };
      if (fit === "part") parts.push(exchange);
    }
    const [first] = parts;
    if (first === undefined) return { type: "none" };
    const isCertain = isAll || parts.every((one) => this.#isSameQuestion(first, one));
    return isCertain ? { type: "found", exchange: first } : { type: "ambiguous" };
  }

  /** The earliest exchange like those of `connection` in which the client just ends so. */
  findEnd(connection: number, how: "end" | "reset"): Exchange | undefined {
    for (const exchange of this.#unplayed(connection))
      if (exchange.ends === how && exchange.questionFrom === exchange.questionTo) return exchange;
    return undefined;
  }

  *#unplayed(connection: number): Iterable<Exchange> {
    const pool = this.#poolOf(connection);
    const { exchanges } = pool;
    while (pool.from < exchanges.length && this.#isPlayed(exchanges[pool.from] as Exchange))
      pool.from++;
    for (let at = pool.from; at < exchanges.length; at++) {
      const exchange = exchanges[at] as Exchange;
      if (!this.#isPlayed(exchange) && this.#isOpen(exchange.connection)) yield exchange;
    }
  }

  /** What belongs to a connection that is still to come is not taken from it. */
  #isOpen(connection: number): boolean {
    if (this.#reached.has(connection)) return true;
    const { index, hasReached } = this.#parts;
    return hasReached(index.byConnection[index.connections.from(connection)] as number);
  }

  #isPlayed({ connection, from }: Exchange): boolean {
    const detached = this.#detached.get(from);
    if (detached !== undefined) return detached.isPlayed;
    return (this.#reached.get(connection) ?? -1) >= from;
  }

  #isSameQuestion(one: Exchange, other: Exchange): boolean {
    if (one === other) return true;
    const lengthBytes = one.questionTo - one.questionFrom;
    if (other.questionTo - other.questionFrom !== lengthBytes) return false;
    const most = Math.min(lengthBytes, sameBytes);
    const bytes = this.#streamOf(one).copy(one.questionFrom, one.questionFrom + most);
    return this.fit(other, bytes) !== "no";
  }

  #streamOf({ connection, from, to }: Exchange): RecordedStream {
    const { index, read } = this.#parts;
    return new RecordedStream(index, read, connection, Direction.toServer, { from, to });
  }

  #patternsOf(connection: number): readonly RegExp[] {
    const known = this.#patterns.get(connection);
    if (known !== undefined) return known;
    const { masks, index } = this.#parts;
    const patterns = masksFor(masks, index, connection, Direction.toServer);
    this.#patterns.set(connection, patterns);
    return patterns;
  }

  #poolOf(connection: number): Pool {
    const key = this.#parts.index.connections.poolOf(connection);
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const exchanges: Exchange[] = [];
    for (let number = 1; number <= this.#parts.index.connections.count; number++)
      if (this.#parts.index.connections.poolOf(number) === key)
        exchanges.push(...this.#laterExchanges(number));
    const pool = { exchanges: exchanges.toSorted((a, b) => a.first - b.first), from: 0 };
    this.#pools.set(key, pool);
    return pool;
  }

  /** All but the one that opens the connection, up to where its client was stopped. */
  *#laterExchanges(connection: number): Iterable<Exchange> {
    const { index } = this.#parts;
    const client = index.connections.client(connection);
    let next = exchangeAt(index, connection, index.connections.from(connection));
    for (;;) {
      next = next && exchangeAt(index, connection, next.to);
      if (next === undefined || index.wasStopped(client, next.first)) return;
      yield next;
    }
  }
}
