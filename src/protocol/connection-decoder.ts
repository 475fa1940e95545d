/**
 * Decodes one connection: it recognizes the protocol by the first bytes, and passes both directions
 * to that protocol's decoders. Undecoded bytes are messages as well, one for each piece in which
 * they arrived, so nothing is left out.
 *
 * The side that speaks first decides, as soon as its bytes suffice. If the other side speaks before
 * that, the connection stays undecoded.
 */
import { Direction, opposite } from "../base/direction.ts";
import { dns } from "./dns.ts";
import { http1 } from "./http1.ts";
import { http2 } from "./http2.ts";
import { Garbled, Input, type Moment, type Start, textOf } from "./input.ts";
import type { Decoder, Decoding, Message, Protocol, Decoded } from "./message.ts";
import { mysql } from "./mysql.ts";
import { postgres } from "./postgres.ts";
import { resp } from "./resp.ts";
import { tls } from "./tls.ts";

const protocols: readonly Protocol[] = [http1, http2, resp, postgres, mysql, tls, dns];

/** The length of the preview of undecoded bytes. */
const shownBytes = 160;

/** One direction. */
interface Side {
  readonly input: Input;
  /** Undefined if the rest of the bytes is not decoded. */
  decoding: Decoding | undefined;
  /** The beginning of the current message at its decoder's last yield of a message. */
  yieldedAt: Start | undefined;
}

export class ConnectionDecoder {
  readonly #sides: readonly [Side, Side] = [
    { input: new Input(), decoding: undefined, yieldedAt: undefined },
    { input: new Input(), decoding: undefined, yieldedAt: undefined },
  ];
  #protocol: Protocol | undefined;
  #isDecided = false;

  /**
   * Takes the next bytes of a direction, without keeping them, and returns the messages that they
   * complete. It never throws, whatever the bytes are.
   */
  push(direction: Direction, bytes: Uint8Array, moment: Moment): Message[] {
    const messages: Message[] = [];
    const { input } = this.#sides[direction];
    input.push(bytes, moment);
    if (!this.#isDecided) this.#decide(direction, messages);
    if (this.#isDecided) this.#decode(direction, messages);
    input.settle();
    return messages;
  }

  /** Returns the incomplete rest as messages. Call it after the last bytes. */
  end(): Message[] {
    const messages: Message[] = [];
    this.#isDecided = true;
    for (const direction of [Direction.toServer, Direction.toClient]) {
      this.#sides[direction].decoding = undefined;
      this.#decode(direction, messages);
    }
    return messages;
  }

  #decide(direction: Direction, messages: Message[]): void {
    const other = opposite(direction);
    const opening = this.#sides[direction].input.heldBytes;
    const isInTurn = this.#sides[other].input.heldBytes.length === 0;
    const verdicts = protocols.map((one) =>
      isInTurn ? one.recognizes(opening, direction) : false,
    );
    this.#protocol = protocols[verdicts.indexOf(true)];
    this.#isDecided = this.#protocol !== undefined || !verdicts.includes(undefined);
    if (!this.#isDecided) return;
    this.#protocol?.decoders().forEach((decoder, side) => this.#begin(side as Direction, decoder));
    this.#decode(other, messages);
  }

  #begin(direction: Direction, decoder: Decoder): void {
    const side = this.#sides[direction];
    side.decoding = decoder(side.input);
  }

  #decode(direction: Direction, messages: Message[]): void {
    const side = this.#sides[direction];
    try {
      for (let next = side.decoding?.next(); next; next = side.decoding?.next()) {
        if (next.done) break;
        if (next.value === undefined) return;
        messages.push(messageOf(next.value, this.#protocol?.name, direction));
        side.yieldedAt = side.input.messageStart;
      }
    } catch (error) {
      if (!(error instanceof Garbled)) throw error;
    }
    side.decoding = undefined;
    const rest = restOf(side, direction);
    if (rest) messages.push(rest);
    side.input.drop();
  }
}

/** Spelled out, because spreads take longer than the decoding itself. */
function messageOf(decoded: Decoded, name: string | undefined, direction: Direction): Message {
  const { start, protocol = name, text, question, answers } = decoded;
  const { offset, moment } = start;
  return { protocol, direction, offset, moment, text, question, answers };
}

/**
 * The undecoded bytes, from the current message on, or after it if its decoder has already yielded
 * it.
 */
function restOf({ input, yieldedAt }: Side, direction: Direction): Message | undefined {
  const { messageStart, heldBytes, heldStart, endOffset } = input;
  const isYielded = messageStart === undefined || messageStart === yieldedAt;
  const start = isYielded ? heldStart : messageStart;
  const lengthBytes = endOffset - start.offset;
  const text = textOf(heldBytes.subarray(0, shownBytes));
  return lengthBytes === 0
    ? undefined
    : { ...start, protocol: undefined, direction, text, lengthBytes };
}
