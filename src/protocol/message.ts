/** Messages: the output of decoders. */
import type { Direction } from "../base/direction.ts";
import type { Input, Moment, Start } from "./input.ts";

/**
 * A message in one direction of a connection. Its text comes from the wire and may not be
 * printable.
 */
export interface Message {
  /** For example `HTTP/1`; undefined for undecoded bytes. */
  readonly protocol: string | undefined;
  readonly direction: Direction;
  /** The offset of its first byte in its direction, and that byte's time. */
  readonly offset: number;
  readonly moment: Moment;
  /** One line, for example `GET /items/3`; for undecoded bytes, their beginning. */
  readonly text: string;
  /** The number of undecoded bytes. */
  readonly lengthBytes?: number;
  /** If it expects an answer: a number that is unique on this connection. */
  readonly question?: number | undefined;
  /** The number of the question that it answers. */
  readonly answers?: number | undefined;
}

/** A running decoder: yields a message, or undefined if it needs more bytes. */
export type Decoding = Generator<Decoded | undefined, void, void>;

/**
 * A message from a decoder. It has the direction of its input, and the protocol of its connection.
 */
export interface Decoded {
  readonly start: Start;
  readonly text: string;
  readonly protocol?: string;
  readonly question?: number | undefined;
  readonly answers?: number | undefined;
}

/**
 * Decodes one direction. It returns, or throws `Garbled`, when it no longer understands the bytes.
 */
export type Decoder = (input: Input) => Decoding;

/** A protocol over a stream. */
export interface Protocol {
  readonly name: string;
  /**
   * Whether a connection whose first bytes are these, sent in `direction`, speaks this protocol;
   * undefined if it takes more bytes to decide. No two protocols recognize the same bytes.
   */
  recognizes(opening: Uint8Array, direction: Direction): boolean | undefined;
  /** Decoders for a connection, by direction. */
  decoders(): readonly [Decoder, Decoder];
}

/** The most open questions of a connection; further ones are not paired. */
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

/** The text of a message: white space collapsed, and shortened to a line. */
export function inOneLine(text: string, mostLength: number = mostTextLength): string {
  const line = text
    .slice(0, 4 * mostLength)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > mostLength ? `${line.slice(0, mostLength - 1)}…` : line;
}
