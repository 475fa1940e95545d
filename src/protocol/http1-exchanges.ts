/**
 * Reads the requests of an HTTP/1 connection, each with its answer and both bodies: for exports.
 * (The timeline's decoder, http1.ts, skips bodies.)
 */
import type { Direction } from "../base/direction.ts";
import { http1 } from "./http1.ts";
import {
  hasNoBody,
  type Header,
  headerIn,
  readBody,
  readHeaders,
  requestLine,
  statusLine,
} from "./http1-syntax.ts";
import { Garbled, Input, type Moment, type Reading } from "./input.ts";

/** The most bytes of a body that are kept. */
const keptBodyBytes: number = 16 << 20;
/** The most requests that wait for an answer. A connection with more is not read any further. */
const mostOpen = 1000;

/** What a request and an answer have in common. Times are since the start of the run. */
export interface HttpPart {
  /** `1.0` or `1.1`. */
  readonly version: string;
  readonly headers: readonly Header[];
  /** The bytes of the start line and the headers. */
  readonly headBytes: number;
  readonly startedNs: number;
  endedNs: number;
  /** The body without its transfer coding; shorter than `bodyBytes` if that is over 16 MiB. */
  readonly body: Uint8Array[];
  bodyBytes: number;
  /** Whether it was read to its end. */
  isWhole: boolean;
}

interface HttpRequest extends HttpPart {
  readonly method: string;
  readonly target: string;
}

interface HttpAnswer extends HttpPart {
  readonly status: number;
  readonly reason: string;
}

/** A request and its answer, if there is one. */
export interface HttpExchange {
  readonly request: HttpRequest;
  answer: HttpAnswer | undefined;
}

export class HttpExchanges {
  readonly #inputs: readonly [Input, Input] = [new Input(), new Input()];
  readonly #readers: readonly [Reading<void>, Reading<void>];
  /** Undefined until the first bytes decide. */
  #isHttp: boolean | undefined;
  /** Requests without an answer, in order. */
  readonly #open: HttpExchange[] = [];
  /** The exchange whose answer is being read. */
  #answered: HttpExchange | undefined;
  #nowNs = 0;

  constructor() {
    const [requests, answers] = this.#inputs;
    this.#readers = [this.#readRequests(requests), this.#readAnswers(answers)];
  }

  /** Takes the next bytes of a direction. Returns the exchanges that they complete. */
  push(direction: Direction, bytes: Uint8Array, moment: Moment): HttpExchange[] {
    if (this.#isHttp === false) return [];
    this.#nowNs = moment.atNs;
    const input = this.#inputs[direction];
    input.push(bytes, moment);
    this.#isHttp ??= http1.recognizes(input.heldBytes, direction);
    const completed = this.#isHttp === true ? this.#advance(direction) : [];
    input.settle();
    return completed;
  }

  /**
   * Returns the exchanges that are not complete, and reads nothing more. Call it at the end of the
   * connection, or if bytes are missing.
   */
  end(): HttpExchange[] {
    const last = this.#answered;
    // RFC 9112, section 6.3: without a length, a body lasts until the connection ends.
    if (last?.answer !== undefined) last.answer.isWhole ||= hasNoLength(last.answer.headers);
    const left = this.#open.splice(0);
    this.#isHttp = false;
    this.#answered = undefined;
    return last === undefined ? left : [last, ...left];
  }

  /** A reader yields when it needs more bytes, and after each answer. */
  #advance(direction: Direction): HttpExchange[] {
    const completed: HttpExchange[] = [];
    try {
      for (;;) {
        const { done } = this.#readers[direction].next();
        const answered = this.#answered;
        const isWhole = answered?.answer?.isWhole === true;
        if (isWhole) {
          completed.push(answered);
          this.#answered = undefined;
        }
        if (done === true) return [...completed, ...this.end()];
        if (!isWhole) return completed;
      }
    } catch (error) {
      if (!(error instanceof Garbled)) throw error;
      return [...completed, ...this.end()];
    }
  }

  *#readRequests(input: Input): Reading<void> {
    for (;;) {
      const { offset, moment } = yield* input.start();
      const line = yield* input.line();
      // RFC 9112, section 2.2: an empty line may precede a request.
      if (line === "") continue;
      const [, method = "", target = "", version = ""] = requestLine.exec(line) ?? [];
      if (method === "" || this.#open.length >= mostOpen) throw new Garbled("no request");
      const headers = yield* readHeaders(input);
      const part = partOf(version, headers, input.offset - offset, moment.atNs);
      const request: HttpRequest = { ...part, method, target };
      this.#open.push({ request, answer: undefined });
      yield* this.#readBody(input, request, 0);
    }
  }

  *#readAnswers(input: Input): Reading<void> {
    for (;;) {
      const { offset, moment } = yield* input.start();
      const line = yield* input.line();
      const [, version = "", code, reason = ""] = statusLine.exec(line) ?? [];
      if (code === undefined) throw new Garbled("no status line");
      const headers = yield* readHeaders(input);
      const status = Number(code);
      // RFC 9110, section 15.2: interim answers precede the final one.
      if (status < 200 && status !== 101) continue;
      const exchange = this.#open.shift();
      if (exchange === undefined) throw new Garbled("an answer without a request");
      const part = partOf(version, headers, input.offset - offset, moment.atNs);
      const answer: HttpAnswer = { ...part, status, reason };
      exchange.answer = answer;
      this.#answered = exchange;
      const { method } = exchange.request;
      const isNoLongerHttp = status === 101 || (method === "CONNECT" && status < 300);
      const isEmpty = isNoLongerHttp || hasNoBody(method, status);
      if (isEmpty) endPart(answer, this.#nowNs);
      else yield* this.#readBody(input, answer, Infinity);
      if (isNoLongerHttp) return;
      yield;
    }
  }

  *#readBody(input: Input, part: HttpPart, otherwiseBytes: number): Reading<void> {
    yield* readBody(input, part.headers, otherwiseBytes, (bytes) => {
      if (part.bodyBytes + bytes.length <= keptBodyBytes) part.body.push(bytes.slice());
      part.bodyBytes += bytes.length;
      part.endedNs = this.#nowNs;
    });
    endPart(part, this.#nowNs);
  }
}

function partOf(
  version: string,
  headers: readonly Header[],
  headBytes: number,
  startedNs: number,
): HttpPart {
  const empty = { body: [], bodyBytes: 0, isWhole: false };
  return { version, headers, headBytes, startedNs, endedNs: startedNs, ...empty };
}

function endPart(part: HttpPart, nowNs: number): void {
  part.endedNs = nowNs;
  part.isWhole = true;
}

function hasNoLength(headers: readonly Header[]): boolean {
  return (
    headerIn(headers, "content-length") === "" && headerIn(headers, "transfer-encoding") === ""
  );
}
