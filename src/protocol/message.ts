/** Messages: the output of decoders. */
import type { Direction } from "../base/direction.ts";
import type { Input, Moment, Start } from "./input.ts";

/** A message in one direction of a connection. Its text comes from the wire and may not be printable. */
export interface Message {
  /** Such as `HTTP/1`; undefined for bytes that no decoder understands. */
  readonly protocol: string | undefined;
  readonly direction: Direction;
  /** The first byte: how many of its direction came before, and when it came. */
  readonly offset: number;
  readonly moment: Moment;
  /** One line, such as `GET /items/3`; for bytes that no decoder understands, their beginning. */
  readonly text: string;
  /** The number of bytes, if no decoder understands them. */
  readonly lengthBytes?: number;
  /** If it asks for an answer: a number that is its own on this connection. */
  readonly question?: number | undefined;
  /** The number of the question that it answers. */
  readonly answers?: number | undefined;
}

/** A running decoder: yields a message, or undefined if it needs more bytes. */
export type Decoding = Generator<Decoded | undefined, void, void>;

/** A message as a decoder yields it. Its direction is that of the input, its protocol that of the connection. */
export interface Decoded {
  readonly start: Start;
  readonly text: string;
  readonly protocol?: string;
  readonly question?: number | undefined;
  readonly answers?: number | undefined;
}

/** Decodes one direction. It returns, or throws `Garbled`, where it no longer understands the bytes. */
export type Decoder = (input: Input) => Decoding;

/** A protocol over a stream. */
export interface Protocol {
  readonly name: string;
  /**
   * Whether a connection speaks it whose first bytes are these, sent in `direction`; undefined if
   * that needs more of them. No two protocols recognize the same bytes.
   */
  recognizes(opening: Uint8Array, direction: Direction): boolean | undefined;
  /** Decoders for a connection, by direction. */
  decoders(): readonly [Decoder, Decoder];
}

/** So many questions of one connection may be without an answer; more are not paired. */
const mostOpenQuestions = 10_000;

/** The open questions of a connection whose protocol answers them in order. */
export class Questions<T> {
  #asked = 0;
  #open: { readonly number: number; readonly about: T }[] = [];

  /** Notes a question; returns its number, or undefined if too many are open. */
  ask(about: T): number | undefined {
    if (this.#open.length >= mostOpenQuestions) return undefined;
    const number = ++this.#asked;
    this.#open.push({ number, about });
    return number;
  }

  /** The question that the next answer belongs to. */
  get next(): { readonly number: number; readonly about: T } | undefined {
    return this.#open[0];
  }

  /** Removes that question: it is answered now. */
  answer(): { readonly number: number; readonly about: T } | undefined {
    return this.#open.shift();
  }
}

const mostTextLength = 400;

/** Text of a message: white space as single spaces, and no longer than a line may be. */
export function inOneLine(text: string, mostLength: number = mostTextLength): string {
  const line = text
    .slice(0, 4 * mostLength)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > mostLength ? `${line.slice(0, mostLength - 1)}…` : line;
}
