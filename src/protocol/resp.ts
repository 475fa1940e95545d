/** RESP, the protocol of Redis, versions 2 and 3 (redis.io/docs/reference/protocol-spec). */
import { Direction } from "../base/direction.ts";
import { Garbled, type Input, type Reading, textOf } from "./input.ts";
import { type Decoding, inOneLine, type Protocol, Questions } from "./message.ts";

/** The most bytes shown of an argument or a value. */
const shownBytes = 80;
/** The most arguments of a command, or values of an array, that are shown. */
const shownValues = 12;
const mostDepth = 16;
const mostReplyLength = 160;

export const resp: Protocol = {
  name: "RESP",
  recognizes(bytes, direction) {
    if (direction === Direction.toClient) return false;
    const text = String.fromCharCode(...bytes.subarray(0, "*123456\r\n".length));
    if (/^\*[1-9]\d{0,5}\r?$/.test(text) || text === "*" || text === "") return undefined;
    return /^\*[1-9]\d{0,5}\r\n/.test(text);
  },
  decoders() {
    const session = new Session();
    return [(input) => session.commands(input), (input) => session.replies(input)];
  },
};

class Session {
  readonly #questions = new Questions<undefined>();
  /** Whether the client has subscribed, after which messages arrive unasked. */
  #isSubscriber = false;

  *commands(input: Input): Decoding {
    for (;;) {
      const start = yield* input.start();
      const words = yield* readCommand(input);
      // Redis ignores empty lines.
      if (words.length === 0) continue;
      const name = (words[0] ?? "").toUpperCase();
      if (/^[PS]?SUBSCRIBE$/.test(name)) this.#isSubscriber = true;
      // The dump holds the password, but a line read in passing need not show it.
      const shown = name === "AUTH" ? [name, "…"] : [name, ...words.slice(1)];
      yield { start, text: inOneLine(shown.join(" ")), question: this.#questions.ask(undefined) };
    }
  }

  *replies(input: Input): Decoding {
    for (;;) {
      const start = yield* input.start();
      const { text, isPush } = yield* readValue(input, 0);
      const isMessage = this.#isSubscriber && /^\["[ps]?message", /.test(text);
      const answers = isPush || isMessage ? undefined : this.#questions.answer()?.number;
      yield { start, text: inOneLine(text, mostReplyLength), answers };
    }
  }
}

/** The words of a command: an array of bulk strings, or a line. */
function* readCommand(input: Input): Reading<readonly string[]> {
  const line = yield* input.line();
  if (!line.startsWith("*")) {
    if (!/^[\w\s"'.:-]*$/.test(line)) throw new Garbled("no command");
    return line.split(/\s+/).filter((word) => word !== "");
  }
  const count = lengthIn(line);
  const words: string[] = [];
  for (let i = 0; i < count; i++) {
    const head = yield* input.line();
    if (!head.startsWith("$")) throw new Garbled("no bulk string");
    const word = yield* readBulk(input, lengthIn(head));
    if (i < shownValues) words.push(word);
    else if (i === shownValues) words.push("…");
    // There may be very many words: release those that are not shown.
    if (i >= shownValues) input.release();
  }
  return words;
}

interface Value {
  readonly text: string;
  readonly isPush: boolean;
}

function* readValue(input: Input, depth: number): Reading<Value> {
  if (depth > mostDepth) throw new Garbled("nested too deeply");
  const line = yield* input.line();
  const rest = line.slice(1);
  switch (line[0]) {
    case "+": // A simple string.
    case ":": // A number.
    case ",": // A double.
    case "(": // A big number.
      return plain(rest);
    case "#":
      return plain(rest === "t" ? "true" : "false");
    case "_":
      return plain("nil");
    case "-":
      return plain(`error ${rest}`);
    case "$":
    case "=": // A string with a format of three letters before it.
      return plain(rest === "-1" ? "nil" : quoted(yield* readBulk(input, lengthIn(line))));
    case "!":
      return plain(`error ${yield* readBulk(input, lengthIn(line))}`);
    case "*":
    case "~": // A set.
      return plain(rest === "-1" ? "nil" : yield* readValues(input, lengthIn(line), depth));
    case "%":
      return plain(yield* readValues(input, 2 * lengthIn(line), depth));
    case ">":
      return { text: yield* readValues(input, lengthIn(line), depth), isPush: true };
    case "|": // Attributes of the value that follows.
      yield* readValues(input, 2 * lengthIn(line), depth);
      return yield* readValue(input, depth + 1);
    default:
      throw new Garbled("no value");
  }
}

function plain(text: string): Value {
  return { text, isPush: false };
}

function quoted(text: string): string {
  return `"${text}"`;
}

function* readValues(input: Input, count: number, depth: number): Reading<string> {
  const shown: string[] = [];
  for (let i = 0; i < count; i++) {
    const { text } = yield* readValue(input, depth + 1);
    if (i < shownValues) shown.push(inOneLine(text, shownBytes));
    // There may be very many values: release those that are not shown.
    else input.release();
  }
  if (count > shownValues) shown.push(`… ${count} in all`);
  return `[${shown.join(", ")}]`;
}

/** Reads the beginning of a string, and consumes the line end after it. */
function* readBulk(input: Input, lengthBytes: number): Reading<string> {
  const some = (yield* input.takeSome(lengthBytes, shownBytes)).slice(0, shownBytes);
  if ((yield* input.line()) !== "") throw new Garbled("a string of another length");
  return lengthBytes > shownBytes ? `${textOf(some)}…` : textOf(some);
}

function lengthIn(line: string): number {
  if (!/^.\d{1,12}$/.test(line)) throw new Garbled("no length");
  return Number(line.slice(1));
}
