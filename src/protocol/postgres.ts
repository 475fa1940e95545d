/**
 * The protocol of PostgreSQL, version 3 (PostgreSQL documentation, "Frontend/Backend Protocol").
 *
 * One line represents a whole request: a simple query, or an execution of the extended protocol
 * with the SQL and values from Parse and Bind. Its answer is the command's tag, or an error.
 */
import { Direction } from "../base/direction.ts";
import { Fields } from "./fields.ts";
import { Garbled, type Input, type Start } from "./input.ts";
import { type Decoder, type Decoding, inOneLine, type Protocol, type Decoded } from "./message.ts";
import { describeProblem, describeTag, Statements } from "./postgres-statements.ts";
import { tlsDecoders } from "./tls.ts";

/** Requests sent in place of a protocol version: 1234 in the high half of the word. */
const RequestCode = { cancel: 80877102, tls: 80877103, gss: 80877104 } as const;
const protocolVersion3 = 3;
/** The most bytes of a message that are examined. */
const shownBytes = 4096;
const mostStartupBytes = 10_000;
/** No server allows longer ones. */
const mostMessageBytes = 2 ** 30;
const mostPending = 10_000;

export const postgres: Protocol = {
  name: "PostgreSQL",
  recognizes(bytes, direction) {
    if (direction === Direction.toClient || (bytes[0] ?? 0) !== 0 || (bytes[1] ?? 0) !== 0)
      return false;
    if (bytes.length < 8) return undefined;
    const fields = new Fields(bytes);
    return isStartup(fields.number(4), fields.number(4));
  },
  decoders() {
    const session = new Session();
    return [(input) => session.requests(input), (input) => session.answers(input)];
  },
};

function isStartup(lengthBytes: number, code: number): boolean {
  if (code >>> 16 === protocolVersion3) return lengthBytes > 8 && lengthBytes <= mostStartupBytes;
  if (code === RequestCode.cancel) return lengthBytes >= 16 && lengthBytes <= 16 + 256;
  return (code === RequestCode.tls || code === RequestCode.gss) && lengthBytes === 8;
}

/** The answers due, in order. A sync ends a group: after an error, the server skips to it. */
interface Pending {
  readonly kind: "encryption" | "startup" | "query" | "prepare" | "execute" | "sync";
  readonly question: number | undefined;
  /** The parts of the answer so far. */
  readonly parts: string[];
  /** The beginning of the answer. */
  start?: Start;
}

const mostParts = 10;

class Session {
  #asked = 0;
  readonly #pending: Pending[] = [];
  readonly #statements = new Statements();
  /** By direction, the decoders to use after encryption was granted. */
  #encrypted: readonly [Decoder, Decoder] | undefined;

  *requests(input: Input): Decoding {
    for (let isStarted = false; !isStarted;) {
      const start = yield* input.start();
      if (this.#encrypted) return yield* this.#encrypted[Direction.toServer](input);
      const head = new Fields(yield* input.take(8));
      const [lengthBytes, code] = [head.number(4), head.number(4)];
      if (!isStartup(lengthBytes, code)) throw new Garbled("no startup message");
      const fields = new Fields(yield* input.take(lengthBytes - 8));
      yield this.#startup(start, code, fields);
      isStarted = code >>> 16 === protocolVersion3;
    }
    for (;;) {
      const start = yield* input.start();
      const [type, payload] = yield* readMessage(input);
      const decoded = this.#request(start, type, new Fields(payload));
      if (decoded) yield decoded;
    }
  }

  *answers(input: Input): Decoding {
    while (this.#pending.length === 0 || this.#pending[0]?.kind === "encryption") {
      const start = yield* input.start();
      const [byte = 0] = yield* input.peek(1);
      if (this.#pending[0]?.kind !== "encryption" || byte === "E".charCodeAt(0)) break;
      const { question: answers } = this.#pending.shift() as Pending;
      yield* input.take(1);
      const isEncrypted = byte === "S".charCodeAt(0);
      if (!isEncrypted && byte !== "N".charCodeAt(0)) throw new Garbled("no answer");
      yield { start, text: isEncrypted ? "yes" : "no", answers };
      if (!isEncrypted) continue;
      this.#encrypted = tlsDecoders();
      return yield* this.#encrypted[Direction.toClient](input);
    }
    for (;;) {
      const start = yield* input.start();
      const [type, payload] = yield* readMessage(input);
      const decoded = this.#answer(start, type, new Fields(payload));
      if (decoded) yield decoded;
    }
  }

  #startup(start: Start, code: number, fields: Fields): Decoded {
    if (code === RequestCode.cancel)
      return { start, text: `cancel the request of process ${fields.number(4)}` };
    if (code === RequestCode.tls || code === RequestCode.gss)
      return this.#ask(start, code === RequestCode.tls ? "TLS?" : "GSSAPI?", "encryption");
    const facts = new Map<string, string>();
    while (fields.leftBytes > 1) facts.set(fields.text(), fields.text());
    const user = facts.get("user") ?? "";
    return this.#ask(start, `connect as ${user} to ${facts.get("database") ?? user}`, "startup");
  }

  #ask(start: Start, text: string, kind: Pending["kind"]): Decoded {
    const question = this.#expect(kind, ++this.#asked) ? this.#asked : undefined;
    return { start, text: inOneLine(text), question };
  }

  #expect(kind: Pending["kind"], question?: number): boolean {
    if (this.#pending.length >= mostPending) return false;
    this.#pending.push({ kind, question, parts: [] });
    return true;
  }

  #request(start: Start, type: string, fields: Fields): Decoded | undefined {
    switch (type) {
      case "Q":
        return this.#ask(start, fields.text(), "query");
      case "P":
        this.#statements.parse(start, fields);
        return undefined;
      case "B":
        this.#statements.bind(start, fields);
        return undefined;
      case "E": {
        const portal = this.#statements.execute(fields.text());
        return this.#ask(portal.start ?? start, portal.text, "execute");
      }
      case "F":
        return this.#ask(start, "function call", "query");
      case "S":
        return this.#sync();
      case "X":
        return { start, text: "goodbye" };
      case "p":
        return { start, text: "authentication" };
      case "f":
        return { start, text: inOneLine(`copy failed: ${fields.text()}`) };
      default: // Describe, Close, Flush and what is copied.
        if (!/[DCHdc]/.test(type)) throw new Garbled("no message");
        return undefined;
    }
  }

  /** A statement that was prepared but not executed gets its own line. */
  #sync(): Decoded | undefined {
    const prepared = this.#statements.takeUnused();
    const decoded = prepared && this.#ask(prepared.start, `PREPARE ${prepared.sql}`, "prepare");
    this.#expect("sync");
    return decoded;
  }

  #answer(start: Start, type: string, fields: Fields): Decoded | undefined {
    switch (type) {
      case "C":
        return this.#part(start, describeTag(fields.text()));
      case "I":
        return this.#part(start, "empty");
      case "s":
        return this.#part(start, "more rows to come");
      case "E":
        return this.#part(start, `error ${describeProblem(fields)}`);
      case "Z":
        return this.#ready(start);
      case "N":
        return { start, text: inOneLine(describeProblem(fields)) };
      case "A": {
        fields.number(4); // The process that notifies.
        const [channel, payload] = [fields.text(), fields.text()];
        return { start, text: inOneLine(`notification ${channel} ${payload}`) };
      }
      default: // The answer begins with the first message that precedes the tag.
        if (!/[RSKTDtn123GHWdcVv]/.test(type)) throw new Garbled("no message");
        if (/[TDGH]/.test(type)) this.#begin(start);
        return undefined;
    }
  }

  /** Starts the answer to the next question, unless it has already started. */
  #begin(start: Start): Pending | undefined {
    const next = this.#pending.find(({ kind }) => kind !== "sync");
    if (next) next.start ??= start;
    return next;
  }

  /**
   * Adds an answer. The several answers to a simple query become one when the server is ready
   * again.
   */
  #part(start: Start, text: string): Decoded | undefined {
    const next = this.#begin(start);
    if (next === undefined) return { start, text: inOneLine(text) };
    if (next.kind === "query") {
      if (next.parts.length < mostParts) next.parts.push(text);
      return undefined;
    }
    this.#pending.splice(this.#pending.indexOf(next), 1);
    return { start: next.start ?? start, text: inOneLine(text), answers: next.question };
  }

  /** The server is ready for the next group: unanswered questions of this one get no answer. */
  #ready(start: Start): Decoded | undefined {
    const at = this.#pending.findIndex(({ kind }) => /^(sync|query|startup)$/.test(kind));
    const group = this.#pending.splice(0, at + 1);
    const last = group.findLast(({ kind }) => /^(query|startup|prepare)$/.test(kind));
    if (last === undefined) return undefined;
    const text = last.parts.join("; ") || (last.kind === "startup" ? "ready" : "done");
    return { start: last.start ?? start, text: inOneLine(text), answers: last.question };
  }
}

/** Reads the type of a message, and the beginning of its content. */
function* readMessage(input: Input): Generator<undefined, readonly [string, Uint8Array], void> {
  const head = new Fields(yield* input.take(5));
  const type = String.fromCharCode(head.number(1));
  const lengthBytes = head.number(4);
  if (lengthBytes < 4 || lengthBytes > mostMessageBytes) throw new Garbled("no message");
  const payload = yield* input.takeSome(lengthBytes - 4, shownBytes);
  return [type, payload.subarray(0, shownBytes)];
}
