import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { ConnectionDecoder } from "../../../src/protocol/connection-decoder.ts";
import { bytesOf, conversations, decode, type Piece } from "./conversations.ts";

test.each(conversations)("$name is decoded", ({ pieces, messages }) => {
  expect(decode(pieces)).toEqual(messages);
});

/** Cuts each piece at some places. */
function cut(pieces: readonly Piece[], places: readonly number[]): Piece[] {
  let next = 0;
  return pieces.flatMap(([side, bytes]) => {
    const parts: Piece[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = places[next++ % places.length] as number;
      parts.push([side, bytes.subarray(at, at + length)]);
      at += length;
    }
    return parts;
  });
}

/** Bytes that nobody understands are told as they come. */
function withJoinedBytes(messages: readonly string[]): string[] {
  const joined: string[] = [];
  for (const message of messages) {
    const [, side = "", text = ""] = /^(. bytes: )(.*)$/s.exec(message) ?? [];
    if (side !== "" && joined.at(-1)?.startsWith(side)) joined.push(`${joined.pop()}${text}`);
    else joined.push(message);
  }
  return joined;
}

describe("however the bytes are cut, the messages are the same", () => {
  test.each(conversations)("$name", ({ pieces, messages }) => {
    expect(withJoinedBytes(decode(cut(pieces, [1])))).toEqual(messages);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (places) => {
        expect(withJoinedBytes(decode(cut(pieces, places)))).toEqual(messages);
      }),
    );
  });
});

function isDecoded(message: string): boolean {
  return !message.includes(" bytes: ");
}

const anyConversation = fc.constantFrom(...conversations.map(({ pieces }) => pieces));
const anyPiece = fc.tuple(
  fc.constantFrom(">" as const, "<" as const),
  fc.uint8Array({ maxLength: 200 }),
);

test("any bytes are decoded to something, and none get lost", () => {
  const any = fc.array(anyPiece, { maxLength: 8 });
  fc.assert(
    fc.property(any, (pieces) => {
      decode(pieces);
      decode(cut(pieces, [1, 7]));
    }),
  );
});

test("a conversation with bytes changed, lost and added, and going on with any bytes, is decoded to something", () => {
  const change = fc.record({
    at: fc.nat({ max: 400 }),
    lost: fc.nat({ max: 6 }),
    added: fc.uint8Array({ maxLength: 6 }),
  });
  fc.assert(
    fc.property(
      anyConversation,
      fc.array(change, { maxLength: 4 }),
      fc.array(anyPiece, { maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
      (pieces, changes, more, places) => {
        const changed = pieces.map(([side, bytes]): Piece => [side, bytes.slice()]);
        for (const { at, lost, added } of changes) {
          const piece = at % changed.length;
          const [side, bytes] = changed[piece] as Piece;
          const place = at % (bytes.length + 1);
          const rest = bytes.subarray(place + lost);
          changed[piece] = [side, bytesOf(bytes.subarray(0, place), added, rest)];
        }
        const all = [...changed, ...more];
        const whole = withJoinedBytes(decode(all));
        const inParts = withJoinedBytes(decode(cut(all, places)));
        expect(inParts.filter(isDecoded)).toEqual(whole.filter(isDecoded));
      },
    ),
    { numRuns: 3000 },
  );
});

test.each<[string, Uint8Array]>([
  ["a line that never ends", bytesOf("GET /", Buffer.alloc(1 << 20, "a"))],
  ["headers without an end", bytesOf("GET / HTTP/1.1\r\n", Buffer.alloc(1 << 20, "a: b\r\n"))],
  ["a huge array", bytesOf("*999999\r\n", Buffer.alloc(1 << 20, "$1\r\na\r\n"))],
  ["a huge string", bytesOf("*2\r\n$3\r\nSET\r\n$999999999999\r\n", new Uint8Array(1 << 20))],
  ["nested arrays", bytesOf("*1\r\n", Buffer.alloc(1 << 20, "*1\r\n"))],
  ["a record of TLS that never ends", bytesOf(22, 3, 1, 0xff, 0xff, 1, new Uint8Array(1 << 20))],
  [
    "a message that claims a gigabyte",
    bytesOf(Buffer.from("0000000800030000", "hex"), "Q", 0x3f, 0, 0, 0),
  ],
])("%s takes little memory", (_, bytes) => {
  const decoder = new ConnectionDecoder();
  let messages = 0;
  for (let at = 0; at < bytes.length; at += 100) {
    const piece = bytes.subarray(at, at + 100);
    messages += decoder.push(Direction.toServer, piece, { event: at, atNs: at }).length;
  }
  messages += decoder.end().length;
  expect(messages).toBeGreaterThan(0);
});
