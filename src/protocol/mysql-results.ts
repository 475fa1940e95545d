/** The answers of a MySQL server: finds the packets of each, and its text. */
import { plural } from "../base/text.ts";
import { Fields } from "./fields.ts";
import type { Start } from "./input.ts";

/** The options that the client and the server agreed on. */
export interface Capabilities {
  /** The server sends no EOF packet between columns and rows, and ends with an OK packet. */
  readonly deprecateEof: boolean;
  readonly queryAttributes: boolean;
}

/** The shape of an answer. */
export type ResultShape =
  | "nothing"
  | "login"
  | "ok"
  | "one packet"
  | "rows"
  | "fields"
  | "fetched"
  | "prepared";

/** A whole answer. */
interface Result {
  readonly start: Start;
  readonly text: string;
  /** The number of a prepared statement. */
  readonly statement?: number;
}

interface Packet {
  readonly payload: Uint8Array;
  readonly lengthBytes: number;
}

const Head = { ok: 0x00, moreData: 0x01, localFile: 0xfb, end: 0xfe, error: 0xff } as const;
/** SERVER_MORE_RESULTS_EXISTS. */
const moreResults = 8;
/** An EOF packet is shorter than this; a row with the same first byte is not. */
const mostEndBytes = 9;
const mostTexts = 10;

export class Results {
  #start: Start | undefined;
  /** The packets to skip before the rows, or at the end of a prepared statement. */
  #definitions = 0;
  /** Whether the next packets are rows. */
  #inRows = false;
  #rows = 0;
  #texts: string[] = [];
  #statement: number | undefined;

  /** Takes the next packet of an answer. Returns the answer with its last packet. */
  take(
    start: Start,
    packet: Packet,
    shape: ResultShape,
    capabilities: Capabilities,
  ): Result | undefined {
    this.#start ??= start;
    return this.#isLast(packet, shape, capabilities) ? this.#finish() : undefined;
  }

  #isLast(packet: Packet, shape: ResultShape, capabilities: Capabilities): boolean {
    const head = packet.payload[0] ?? Head.ok;
    if (this.#definitions > 0) return this.#passDefinition();
    if (head === Head.error) return this.#say(describeError(packet.payload));
    if (this.#inRows || shape === "fetched" || shape === "fields")
      return this.#takeRow(packet, capabilities);
    if (shape === "one packet") return this.#say("done");
    if (shape === "login") return head === Head.ok && this.#say("OK");
    if (shape === "prepared") return this.#takePrepared(packet, capabilities);
    if (head === Head.ok) return this.#takeOk(packet, 1);
    if (head === Head.end && packet.lengthBytes < mostEndBytes) return this.#say("OK");
    if (shape === "ok") return this.#say("done");
    return this.#beginRows(packet, capabilities);
  }

  #passDefinition(): boolean {
    this.#definitions--;
    return this.#definitions === 0 && !this.#inRows;
  }

  #beginRows({ payload }: Packet, { deprecateEof }: Capabilities): boolean {
    // The server requests a file; OK or an error follows.
    if (payload[0] === Head.localFile) return false;
    const fields = new Fields(payload);
    const columns = lengthCoded(fields);
    // MariaDB: after the number of columns, 0 means that the client knows them already.
    const areKnown = fields.leftBytes > 0 && fields.number(1) === 0;
    this.#definitions = (areKnown ? 0 : columns) + (deprecateEof ? 0 : 1);
    this.#inRows = true;
    this.#rows = 0;
    return false;
  }

  #takeRow(packet: Packet, { deprecateEof }: Capabilities): boolean {
    const { payload, lengthBytes } = packet;
    const mostBytes = deprecateEof ? 0xff_ffff : mostEndBytes;
    if (payload[0] !== Head.end || lengthBytes >= mostBytes) {
      this.#rows++;
      return false;
    }
    this.#inRows = false;
    this.#say(plural(this.#rows, "row"));
    return !this.#announcesMore(payload, deprecateEof && lengthBytes > 5);
  }

  #announcesMore(payload: Uint8Array, isOk: boolean): boolean {
    const fields = new Fields(payload.subarray(1));
    if (fields.leftBytes < 4) return false;
    if (isOk) for (let i = 0; i < 2; i++) lengthCoded(fields);
    else fields.littleNumber(2); // How many warnings there are.
    return fields.leftBytes >= 2 && (fields.littleNumber(2) & moreResults) !== 0;
  }

  /** Reads an OK packet: the number of changed rows, the last inserted id, the status. */
  #takeOk({ payload }: Packet, headBytes: number): boolean {
    const fields = new Fields(payload.subarray(headBytes));
    const changed = fields.leftBytes === 0 ? 0 : lengthCoded(fields);
    this.#say(changed > 0 ? `OK, ${plural(changed, "row")}` : "OK");
    return !this.#announcesMore(payload, true);
  }

  /**
   * Reads the statement's number, and the numbers of column and parameter definitions that follow.
   */
  #takePrepared({ payload }: Packet, { deprecateEof }: Capabilities): boolean {
    const fields = new Fields(payload.subarray(1));
    this.#statement = fields.littleNumber(4);
    const counts = [fields.littleNumber(2), fields.littleNumber(2)];
    for (const count of counts) this.#definitions += count + (count > 0 && !deprecateEof ? 1 : 0);
    this.#say("prepared");
    return this.#definitions === 0;
  }

  #say(text: string): true {
    if (this.#texts.length < mostTexts) this.#texts.push(text);
    return true;
  }

  #finish(): Result {
    const start = this.#start as Start;
    const statement = this.#statement;
    const text = this.#texts.join("; ");
    this.#start = this.#statement = undefined;
    this.#inRows = false;
    this.#rows = this.#definitions = 0;
    this.#texts = [];
    return statement === undefined ? { start, text } : { start, text, statement };
  }
}

/** Describes an error: its code, the state after `#`, and its message. */
export function describeError(payload: Uint8Array): string {
  const fields = new Fields(payload.subarray(1));
  const code = fields.leftBytes < 2 ? 0 : fields.littleNumber(2);
  return `error ${code}: ${new Fields(fields.rest()).text().replace(/^#.{5}/s, "")}`;
}

/** Reads a length-encoded number: one byte, or 0xfc to 0xfe followed by two, three or eight. */
export function lengthCoded(fields: Fields): number {
  const first = fields.number(1);
  if (first < 0xfb) return first;
  return fields.littleNumber({ 0xfc: 2, 0xfd: 3 }[first] ?? 8);
}
