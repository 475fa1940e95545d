/** The protocol of MySQL and MariaDB (MySQL internals, "Client/Server Protocol"): version 10. */
import { Direction } from "../base/direction.ts";
import { Fields } from "./fields.ts";
import { Garbled, type Input, type Reading, type Start } from "./input.ts";
import {
  type Decoder,
  type Decoding,
  inOneLine,
  type Protocol,
  Questions,
  type Decoded,
} from "./message.ts";
import {
  type Capabilities,
  describeError,
  lengthCoded,
  Results,
  type ResultShape,
} from "./mysql-results.ts";
import { tlsDecoders } from "./tls.ts";

/** The most bytes of a packet that are examined. */
const shownBytes = 4096;
const mostStatements = 1000;
/** A packet of this length is continued in the next one. */
const longestPacketBytes = 0xff_ffff;
const protocolVersion = 10;
/** The first byte of a packet that reports an error. */
const errorHead = 0xff;

/** Flags of the client (`CLIENT_…`). */
const Capability = {
  connectWithDatabase: 1 << 3,
  compress: 1 << 5,
  protocol41: 1 << 9,
  tls: 1 << 11,
  deprecateEof: 1 << 24,
  zstd: 1 << 26,
  queryAttributes: 1 << 27,
} as const;
/** The length of a client's request for TLS. */
const tlsRequestBytes = 32;

/** Commands (`COM_…`): their names, and the shape of the answer. */
const commands: Readonly<Record<number, readonly [name: string, answer: ResultShape]>> = {
  0x01: ["quit", "nothing"],
  0x02: ["use", "ok"],
  0x03: ["", "rows"],
  0x04: ["fields of", "fields"],
  0x08: ["shut down", "ok"],
  0x09: ["statistics", "one packet"],
  0x0c: ["kill", "ok"],
  0x0d: ["debug", "ok"],
  0x0e: ["ping", "ok"],
  0x16: ["PREPARE", "prepared"],
  0x17: ["", "rows"],
  0x18: ["long data", "nothing"],
  0x19: ["close statement", "nothing"],
  0x1a: ["reset statement", "ok"],
  0x1b: ["set option", "ok"],
  0x1c: ["fetch", "fetched"],
  0x1f: ["reset connection", "ok"],
};
const Command = {
  useDatabase: 0x02,
  query: 0x03,
  fields: 0x04,
  prepare: 0x16,
  execute: 0x17,
} as const;
/** Commands whose payload is text. */
const withText: ReadonlySet<number> = new Set([
  Command.useDatabase,
  Command.query,
  Command.fields,
  Command.prepare,
]);

interface Packet {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly lengthBytes: number;
}

export const mysql: Protocol = {
  name: "MySQL",
  recognizes(bytes, direction) {
    if (direction === Direction.toServer) return false;
    const [low = 0, middle = 0, high = 0, sequence = 0, head = protocolVersion] = bytes;
    const isShort = middle <= 1 && high === 0 && sequence === 0;
    if (!isShort || (head !== protocolVersion && head !== errorHead)) return false;
    if (bytes.length < 7) return undefined;
    const next = bytes.subarray(5, 7);
    // A refused client gets an error. Servers' error numbers start at 1000.
    if (head === errorHead)
      return (next[1] as number) >= 1000 >> 8 && (next[1] as number) < 5000 >> 8;
    // The server's version as text; a greeting has about 80 bytes.
    return (low | (middle << 8)) > 40 && /^\d\d?[.\d]$/.test(String.fromCharCode(...next));
  },
  decoders() {
    const session = new Session();
    return [(input) => session.commands(input), (input) => session.answers(input)];
  },
};

/** The answer that a command expects, and its SQL if it prepares a statement. */
interface Asked {
  readonly shape: ResultShape;
  readonly sql: string;
}

class Session {
  readonly #questions = new Questions<Asked>();
  readonly #statements = new Map<number, string>();
  #capabilities: Capabilities = { deprecateEof: false, queryAttributes: false };
  #encrypted: readonly [Decoder, Decoder] | undefined;

  *commands(input: Input): Decoding {
    const start = yield* input.start();
    const first = yield* readPacket(input);
    const flags = new Fields(first.payload).littleNumber(4);
    if ((flags & Capability.protocol41) === 0) throw new Garbled("an old client");
    if ((flags & Capability.tls) !== 0 && first.lengthBytes === tlsRequestBytes) {
      yield { start, text: "TLS" };
      this.#encrypted = tlsDecoders();
      return yield* this.#encrypted[Direction.toServer](input);
    }
    this.#capabilities = {
      deprecateEof: (flags & Capability.deprecateEof) !== 0,
      queryAttributes: (flags & Capability.queryAttributes) !== 0,
    };
    const question = this.#questions.ask({ shape: "login", sql: "" });
    yield { start, text: describeLogin(first.payload, flags), question };
    if ((flags & (Capability.compress | Capability.zstd)) !== 0) throw new Garbled("compressed");
    for (;;) {
      const decoded = this.#describe(yield* input.start(), yield* readPacket(input));
      if (decoded) yield decoded;
    }
  }

  *answers(input: Input): Decoding {
    const start = yield* input.start();
    const first = yield* readPacket(input);
    yield { start, text: inOneLine(describeGreeting(first.payload)) };
    for (const results = new Results(); ;) {
      const begin = yield* input.start();
      if (this.#encrypted) return yield* this.#encrypted[Direction.toClient](input);
      const packet = yield* readPacket(input);
      const next = this.#questions.next;
      // Unasked: it concerns the connection as a whole.
      if (next === undefined) {
        const isError = packet.payload[0] === errorHead;
        yield { start: begin, text: isError ? describeError(packet.payload) : "packet" };
        continue;
      }
      const { shape, sql } = next.about;
      const result = results.take(begin, packet, shape, this.#capabilities);
      if (result === undefined) continue;
      if (result.statement !== undefined) this.#remember(result.statement, sql);
      this.#questions.answer();
      yield { start: result.start, text: inOneLine(result.text), answers: next.number };
    }
  }

  /**
   * Describes a packet of the command phase. Later packets of a command or an authentication are
   * not commands.
   */
  #describe(start: Start, { sequence, payload }: Packet): Decoded | undefined {
    if (sequence !== 0) return undefined;
    const code = payload[0] ?? -1;
    const [name, shape] = commands[code] ?? [`command ${code}`, "ok" as const];
    const sql = this.#textOf(code, new Fields(payload.subarray(1)));
    const text = inOneLine(`${name} ${sql}`);
    if (shape === "nothing") return { start, text };
    return { start, text, question: this.#questions.ask({ shape, sql }) };
  }

  #textOf(code: number, fields: Fields): string {
    if (code === Command.execute) {
      const statement = fields.littleNumber(4);
      return this.#statements.get(statement) ?? `execute statement ${statement}`;
    }
    if (!withText.has(code)) return "";
    // Query attributes: their number, and the number of sets. If there are any, the text follows
    // them.
    if (code === Command.query && this.#capabilities.queryAttributes) {
      if (lengthCoded(fields) > 0) return "query with attributes";
      lengthCoded(fields);
    }
    return new Fields(fields.rest()).text();
  }

  #remember(statement: number, sql: string): void {
    this.#statements.set(statement, sql);
    if (this.#statements.size <= mostStatements) return;
    this.#statements.delete(this.#statements.keys().next().value ?? 0);
  }
}

/** Reads a packet and its continuations. */
function* readPacket(input: Input): Reading<Packet> {
  const head = new Fields(yield* input.take(4));
  let [partBytes, sequence] = [head.littleNumber(3), head.number(1)];
  const first = sequence;
  const payload = (yield* input.takeSome(partBytes, shownBytes)).slice(0, shownBytes);
  let lengthBytes = partBytes;
  while (partBytes === longestPacketBytes) {
    const next = new Fields(yield* input.take(4));
    [partBytes, sequence] = [next.littleNumber(3), next.number(1)];
    yield* input.skip(partBytes);
    lengthBytes += partBytes;
  }
  return { sequence: first, payload, lengthBytes };
}

function describeGreeting(payload: Uint8Array): string {
  if (payload[0] === errorHead) return describeError(payload);
  if (payload[0] !== protocolVersion) throw new Garbled("no greeting");
  return `server ${new Fields(payload.subarray(1)).text()}`;
}

function describeLogin(payload: Uint8Array, flags: number): string {
  const fields = new Fields(payload);
  // Flags, the longest packet, the character set, and reserved bytes.
  fields.bytes(32);
  const user = fields.text();
  // The length precedes the password proof.
  fields.bytes(Math.min(lengthCoded(fields), fields.leftBytes));
  const hasDatabase = (flags & Capability.connectWithDatabase) !== 0;
  return inOneLine(hasDatabase ? `log in as ${user} to ${fields.text()}` : `log in as ${user}`);
}
