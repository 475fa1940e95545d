/** Messages: what decoders make of bytes. */
import type { Direction } from "../base/direction.ts";
import type { Input, Moment, Start } from "./input.ts";

/** A message in one direction of a connection. Its text is one that nobody has made printable. */
export interface Message {
  /** Such as `HTTP/1`; undefined for bytes that no decoder understands. */
  readonly protocol: string | undefined;
  readonly direction: Direction;
  /** The first byte: how many of its direction came before, and when it came. */
  readonly offset: number;
  readonly moment: Moment;
  /** One line, such as `GET /items/3`; for bytes that nobody understands, their beginning. */
  readonly text: string;
  /** Of bytes that nobody understands: how many there are. */
  readonly lengthBytes?: number;
  /** If it asks for an answer: a number that is its own on this connection. */
  readonly question?: number | undefined;
  /** The number of the question that it answers. */
  readonly answers?: number | undefined;
}

/** What a decoder yields: a message, or undefined if it needs more bytes. */
export type Decoding = Generator<Said | undefined, void, void>;

/** A message as its decoder gives it: the direction is the input's, the protocol that of the connection. */
export interface Said {
  readonly start: Start;
  readonly text: string;
  readonly protocol?: string;
  readonly question?: number | undefined;
  readonly answers?: number | undefined;
}

/** Decodes one direction. It returns or throws `Garbled` where it understands no more. */
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

/** The questions of a connection whose protocol answers them in order, with what is known of each. */
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

  /** The one that is answered next. */
  get next(): { readonly number: number; readonly about: T } | undefined {
    return this.#open[0];
  }

  /** It is answered now. */
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
