/**
 * Holds the exchanges that a live process has not asked for yet. It is pure.
 *
 * Chance decides which connection of a pool carries the next request. So if a live client asks a
 * question that does not continue its own recording, this class searches the exchanges between the
 * same process and the same port of the same server. It detaches the earliest exchange with that
 * question from its connection, and the replay plays it where the client asked.
 */
import { type ConnectionNumber, endOf, type EventNumber } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { type Exchange, exchangeAt, isAsked } from "../../recording/exchange.ts";
import { type ReadPayload, RecordedStream } from "../../recording/recorded-stream.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { type Fit, fitOf } from "../compare/fit.ts";
import { type Mask, masksFor } from "../compare/masks.ts";
import { Done, type Progress } from "../progress/progress.ts";

export interface ExchangesParts {
  /** The index of the process's own schedule, from which exchanges are detached. */
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly read: ReadPayload;
  /** Whether the schedule has reached or passed `event`. */
  readonly hasReached: (event: EventNumber) => boolean;
  readonly masks: readonly Mask[];
  /** @default 4 */
  readonly shortestQuestionBytes?: number;
}

/** The result of a search for a question. `ambiguous`: several exchanges fit so far. */
export type Finding =
  | { readonly type: "found"; readonly exchange: Exchange }
  | { readonly type: "ambiguous" }
  | { readonly type: "none" };

/** What to look for. */
export interface Search {
  readonly question: Uint8Array;
  /** No more bytes of the question will come. */
  readonly isAll: boolean;
  /** `question` may contain more than the question. */
  readonly mayGoOn: boolean;
}

/** The exchanges between a process and a port of a server, except those that open a connection. */
interface Pool {
  readonly exchanges: readonly Exchange[];
  /** All exchanges before this index were asked for. */
  from: number;
}

/** An exchange that was taken out of its connection. */
interface Detached {
  /** The number of the connection that it now counts as. */
  readonly number: ConnectionNumber;
  isPlayed: boolean;
}

/**
 * A shorter question does not identify an exchange: a protocol that answers single bytes has the
 * same question everywhere. Requests of real pools are longer (RESP's PING, PostgreSQL's Sync).
 */
const defaultShortestQuestionBytes = 4;
/** How much of two questions is compared to decide whether they are equal. */
const sameBytes = 0x1_0000;

export class Exchanges {
  readonly #parts: ExchangesParts;
  /** By the position where the exchange begins. */
  readonly #detached = new Map<number, Detached>();
  /** By matched connection: where the last exchange that the live client reached begins. */
  readonly #reached = new Map<number, number>();
  /** Matched connections whose live clients may still ask something. */
  readonly #open = new Set<number>();
  /** Connections that exchanges were detached from. */
  readonly #parted = new Set<number>();
  readonly #pools = new Map<string, Pool>();
  readonly #patterns = new Map<number, readonly RegExp[]>();

  constructor(parts: ExchangesParts) {
    this.#parts = parts;
  }

  /** The first exchange of `connection`, which was just matched. */
  open(connection: ConnectionNumber): Exchange {
    const from = this.#parts.index.connections.from(connection);
    this.#reached.set(connection, from);
    this.#open.add(connection);
    return exchangeAt(this.#parts.index, connection, from) as Exchange;
  }

  /** The live client that was matched with `connection` has ended it. */
  noteEnded(connection: ConnectionNumber): void {
    this.#open.delete(connection);
  }

  /** The live connection is not `connection`, so its exchanges are still to come. */
  close(connection: ConnectionNumber): void {
    this.#reached.delete(connection);
    this.#open.delete(connection);
  }

  /** The next exchange after `exchange` on its connection that the process has yet to ask for. */
  after(exchange: Exchange): Exchange | undefined {
    const { index } = this.#parts;
    let next = exchangeAt(index, exchange.connection, exchange.to);
    while (next !== undefined && (this.#isPlayed(next) || !isAsked(next)))
      next = exchangeAt(index, next.connection, next.to);
    return next;
  }

  /** Whether the process has asked for all exchanges of `connection`. */
  isFinished(connection: ConnectionNumber): boolean {
    return this.after(this.reachedOn(connection)) === undefined;
  }

  /** Notes that the live process asks for the exchange in its recorded order. */
  reach({ connection, from }: Exchange): void {
    this.#reached.set(connection, from);
  }

  /** The last exchange that the live process has reached on `connection`. */
  reachedOn(connection: ConnectionNumber): Exchange {
    const { index } = this.#parts;
    const from = this.#reached.get(connection) ?? index.connections.from(connection);
    return exchangeAt(index, connection, from) as Exchange;
  }

  /**
   * Takes the exchange out of its connection, to be played in another place or at another time.
   * Returns the number of its own connection.
   */
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
    this.#parted.add(exchange.connection);
    const end = endOf(number, Direction.toServer);
    progress.mark(end, Done.connected);
    progress.noteSent(end, exchange.questionFrom);
    progress.noteReceived(end, exchange.answerFrom);
    return number;
  }

  /**
   * Undoes a wrong choice: the question turned out to be another one. `before` precedes the
   * exchange on its connection.
   */
  giveBack(exchange: Exchange, before: Exchange | undefined): void {
    const detached = this.#detached.get(exchange.from);
    if (detached !== undefined) detached.isPlayed = false;
    else if (before !== undefined) this.#reached.set(exchange.connection, before.from);
  }

  /** How `question` fits the question of the exchange. */
  fit(exchange: Exchange, question: Uint8Array): Fit {
    const range = { from: exchange.questionFrom, to: exchange.questionTo };
    const stream = this.#streamOf(exchange);
    return fitOf({ stream, ...range }, question, this.#patternsOf(exchange.connection));
  }

  /** Whether masks apply to what the client of `connection` sends, so that lengths may vary. */
  isMasked(connection: ConnectionNumber): boolean {
    return this.#patternsOf(connection).length > 0;
  }

  /**
   * The earliest exchange in the pool of `connection` with this question, on a connection that is
   * open now.
   */
  findOpen(connection: ConnectionNumber, search: Search): Finding {
    return this.#search(this.#unplayed(connection, this.#open), search);
  }

  /** The earliest exchange in the pool of `connection` with this question. */
  find(connection: ConnectionNumber, search: Search): Finding {
    return this.#search(this.#unplayed(connection), search);
  }

  /**
   * The first exchange with this question on one of `others`, which asked the same as `connection`
   * before the offset `at`.
   */
  findAlike(
    connection: ConnectionNumber,
    at: number,
    others: Iterable<ConnectionNumber>,
    search: Search,
  ): Finding {
    return this.#search(this.#sequels(connection, at, others), search);
  }

  #search(exchanges: Iterable<Exchange>, { question, isAll, mayGoOn }: Search): Finding {
    const shortestBytes = this.#parts.shortestQuestionBytes ?? defaultShortestQuestionBytes;
    const parts: Exchange[] = [];
    for (const exchange of exchanges) {
      const lengthBytes = exchange.questionTo - exchange.questionFrom;
      if (lengthBytes < shortestBytes) continue;
      const isLonger = question.length > lengthBytes && !this.isMasked(exchange.connection);
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

  /**
   * The earliest exchange in the pool of `connection` in which the client only ends in this way.
   */
  findEnd(connection: ConnectionNumber, how: "end" | "reset"): Exchange | undefined {
    for (const exchange of this.#unplayed(connection))
      if (exchange.ends === how && exchange.questionFrom === exchange.questionTo) return exchange;
    return undefined;
  }

  /** The exchanges of `others` that begin at the offset `at` and have the same history. */
  *#sequels(
    connection: ConnectionNumber,
    at: number,
    others: Iterable<ConnectionNumber>,
  ): Iterable<Exchange> {
    const { index, read } = this.#parts;
    const { connections } = index;
    const own = new RecordedStream(index, read, connection, Direction.toServer);
    const asked = own.copy(0, Math.min(at, sameBytes));
    for (const other of others) {
      if (this.#parted.has(other)) continue;
      let next = exchangeAt(index, other, connections.from(other));
      while (next !== undefined && next.questionTo <= at) next = exchangeAt(index, other, next.to);
      if (next?.questionFrom !== at || index.wasStopped(connections.client(other), next.first))
        continue;
      const stream = new RecordedStream(index, read, other, Direction.toServer);
      const history = { stream, from: 0, to: asked.length };
      if (fitOf(history, asked, this.#patternsOf(other)) !== "no") yield next;
    }
  }

  *#unplayed(
    connection: ConnectionNumber,
    among?: ReadonlySet<ConnectionNumber>,
  ): Iterable<Exchange> {
    const pool = this.#poolOf(connection);
    const { exchanges } = pool;
    while (pool.from < exchanges.length && this.#isPlayed(exchanges[pool.from] as Exchange))
      pool.from++;
    for (let at = pool.from; at < exchanges.length; at++) {
      const exchange = exchanges[at] as Exchange;
      if (among !== undefined && !among.has(exchange.connection)) continue;
      if (!this.#isPlayed(exchange) && this.#hasCome(exchange.connection)) yield exchange;
    }
  }

  /**
   * Whether exchanges may be taken from `connection`. A connection that is yet to come keeps its
   * own.
   */
  #hasCome(connection: ConnectionNumber): boolean {
    if (this.#reached.has(connection)) return true;
    const { index, hasReached } = this.#parts;
    return hasReached(index.byConnection[index.connections.from(connection)] as number);
  }

  #isPlayed({ connection, from }: Exchange): boolean {
    const detached = this.#detached.get(from);
    if (detached !== undefined) return detached.isPlayed;
    const reached = this.#reached.get(connection);
    return reached !== undefined && reached >= from;
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

  #patternsOf(connection: ConnectionNumber): readonly RegExp[] {
    const known = this.#patterns.get(connection);
    if (known !== undefined) return known;
    const { masks, index } = this.#parts;
    const patterns = masksFor(masks, index, connection, Direction.toServer);
    this.#patterns.set(connection, patterns);
    return patterns;
  }

  #poolOf(connection: ConnectionNumber): Pool {
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

  /** All exchanges but the opening one, up to the point where the client was stopped. */
  *#laterExchanges(connection: ConnectionNumber): Iterable<Exchange> {
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
