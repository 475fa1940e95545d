/** DNS messages (RFC 1035), in datagrams and over TCP. */
import { Direction } from "../base/direction.ts";
import { formatAddress } from "../net/address.ts";
import { Garbled, type Input, textOf } from "./input.ts";
import { type Decoding, inOneLine, type Protocol } from "./message.ts";

/** A whole message. */
export interface DnsMessage {
  readonly id: number;
  readonly isAnswer: boolean;
  readonly text: string;
}

const headerBytes = 12;
const classIn = 1;
const mostNameBytes = 255;
/** The most pointers followed in a name, in case of a malicious loop. */
const mostPointers = 16;
const mostRecordsShown = 8;

const types: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  35: "NAPTR",
  41: "OPT",
  43: "DS",
  48: "DNSKEY",
  64: "SVCB",
  65: "HTTPS",
  252: "AXFR",
  255: "ANY",
  257: "CAA",
};

const codes: readonly string[] = [
  "no error",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
];

/**
 * RFC 1035, section 4.2.2: a message is preceded by its length. Longer first questions are not
 * recognized.
 */
const mostFirstBytes = 512;

export const dns: Protocol = {
  name: "DNS",
  recognizes(bytes, direction) {
    if (direction === Direction.toClient) return false;
    if (bytes.length < 2) return (bytes[0] ?? 0) <= mostFirstBytes >> 8 ? undefined : false;
    const lengthBytes = ((bytes[0] as number) << 8) | (bytes[1] as number);
    if (lengthBytes < headerBytes || lengthBytes > mostFirstBytes) return false;
    if (bytes.length < lengthBytes + 2) return undefined;
    return decodeDns(bytes.subarray(2, lengthBytes + 2))?.isAnswer === false;
  },
  decoders() {
    return [decodeStream, decodeStream];
  },
};

function* decodeStream(input: Input): Decoding {
  for (;;) {
    const start = yield* input.start();
    const [high = 0, low = 0] = yield* input.take(2);
    const message = decodeDns(yield* input.take((high << 8) | low));
    if (message === undefined) throw new Garbled("no message");
    const { id, isAnswer, text } = message;
    yield isAnswer ? { start, text, answers: id } : { start, text, question: id };
  }
}

/** Decodes a message with one question; undefined for any other bytes. */
export function decodeDns(bytes: Uint8Array): DnsMessage | undefined {
  try {
    return new MessageReader(bytes).message();
  } catch (error) {
    if (error instanceof Garbled) return undefined;
    throw error;
  }
}

class MessageReader {
  readonly #bytes: Uint8Array;
  #at = headerBytes;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(): DnsMessage {
    if (this.#bytes.length < headerBytes) throw new Garbled("no header");
    const [flags, questions, answers] = [2, 4, 6].map((at) => this.#number(at, 2)) as [
      number,
      number,
      number,
    ];
    const others = this.#number(8, 2) + this.#number(10, 2);
    const isAnswer = flags >= 0x8000;
    // Only plain queries have one question and nothing in their answer section.
    if ((flags & 0x7800) !== 0 || questions !== 1 || (!isAnswer && answers > 0))
      throw new Garbled("no query");
    const question = this.#question();
    const records = Array.from({ length: answers }, () => this.#record());
    for (let i = 0; i < others; i++) this.#record();
    if (this.#at !== this.#bytes.length) throw new Garbled("bytes behind the message");
    const text = isAnswer ? describeAnswer(flags & 0xf, records) : question;
    return { id: this.#number(0, 2), isAnswer, text: inOneLine(text) };
  }

  #question(): string {
    const name = this.#name();
    const type = this.#next(2);
    if (this.#next(2) !== classIn) throw new Garbled("another class");
    return `${types[type] ?? `TYPE${type}`}? ${name}`;
  }

  #record(): string {
    const name = this.#name();
    const type = this.#next(2);
    this.#next(2);
    this.#next(4);
    const lengthBytes = this.#next(2);
    const from = this.#at;
    if (from + lengthBytes > this.#bytes.length) throw new Garbled("a record that is cut off");
    const text = this.#describe(type, lengthBytes);
    this.#at = from + lengthBytes;
    return text ?? `${types[type] ?? `TYPE${type}`} of ${name}`;
  }

  #describe(type: number, lengthBytes: number): string | undefined {
    const bytes = this.#bytes.subarray(this.#at, this.#at + lengthBytes);
    const name = types[type];
    if (name === "A" && lengthBytes === 4) return bytes.join(".");
    if (name === "AAAA" && lengthBytes === 16) return formatAddress(bytes, 0, 6);
    if (name === "CNAME" || name === "NS" || name === "PTR") return `${name} ${this.#name()}`;
    if (name === "TXT") return `TXT "${textOf(bytes.subarray(1, 1 + (bytes[0] ?? 0)))}"`;
    if (name !== "MX" && name !== "SRV") return undefined;
    const [preference, port] = [this.#next(2), name === "SRV" ? (this.#next(2), this.#next(2)) : 0];
    const target = this.#name();
    return name === "MX" ? `MX ${preference} ${target}` : `SRV ${target}:${port}`;
  }

  /** RFC 1035, section 4.1.4: labels, whose rest may be elsewhere. */
  #name(): string {
    const labels: string[] = [];
    let [at, after, pointers, lengthBytes] = [this.#at, -1, 0, 0];
    for (;;) {
      const length = this.#number(at, 1);
      if (length >= 0xc0) {
        if (after < 0) after = at + 2;
        if (++pointers > mostPointers) throw new Garbled("a name without an end");
        at = this.#number(at, 2) & 0x3fff;
        continue;
      }
      at += 1 + length;
      lengthBytes += 1 + length;
      if (length > 63 || lengthBytes > mostNameBytes) throw new Garbled("a long name");
      if (length === 0) break;
      if (at > this.#bytes.length) throw new Garbled("a name that is cut off");
      labels.push(textOf(this.#bytes.subarray(at - length, at)));
    }
    this.#at = after < 0 ? at : after;
    return labels.length === 0 ? "." : labels.join(".");
  }

  #next(lengthBytes: number): number {
    this.#at += lengthBytes;
    return this.#number(this.#at - lengthBytes, lengthBytes);
  }

  #number(at: number, lengthBytes: number): number {
    if (at + lengthBytes > this.#bytes.length) throw new Garbled("a message that is cut off");
    return this.#bytes.subarray(at, at + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  }
}

function describeAnswer(code: number, records: readonly string[]): string {
  if (code !== 0) return codes[code] ?? `error ${code}`;
  if (records.length === 0) return "no records";
  const left = records.length - mostRecordsShown;
  const shown = records.slice(0, mostRecordsShown).join(", ");
  return left > 0 ? `${shown}, and ${left} more` : shown;
}
