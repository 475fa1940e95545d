/** Requests and answers with their bodies, however they arrive. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import {
  type HttpExchange,
  HttpExchanges,
  type HttpPart,
} from "../../../src/protocol/http1-exchanges.ts";

type Side = ">" | "<";

/** `POST /a "body" 200 "answer"`, and `…` behind what is not whole. */
function shown({ request, answer }: HttpExchange): string {
  const asked = `${request.method} ${request.target} ${bodyOf(request)}`;
  return answer === undefined ? asked : `${asked} ${answer.status} ${bodyOf(answer)}`;
}

function bodyOf({ body, isWhole }: HttpPart): string {
  return `"${Buffer.concat(body).toString()}"${isWhole ? "" : "…"}`;
}

function read(pieces: readonly (readonly [Side, string])[], pieceBytes: number): string[] {
  const reader = new HttpExchanges();
  const found: HttpExchange[] = [];
  let atNs = 0;
  for (const [side, text] of pieces) {
    const bytes = Buffer.from(text);
    const direction = side === ">" ? Direction.toServer : Direction.toClient;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      // The reader may not keep the caller's memory.
      const piece = new Uint8Array(bytes.subarray(at, at + pieceBytes));
      found.push(...reader.push(direction, piece, { event: 0, atNs: ++atNs }));
      piece.fill(0);
    }
  }
  return [...found, ...reader.end()].map(shown);
}

const chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

const cases: readonly (readonly [readonly (readonly [Side, string])[], readonly string[]])[] = [
  [
    [
      [">", "POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"],
      ["<", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"],
      [">", "HEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"],
      ["<", `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n${chunked}`],
    ],
    ['POST /a "body" 200 "answer"', 'HEAD /b "" 200 ""', 'GET /c "" 200 "abcde"'],
  ],
  [
    [
      [">", "GET /until-the-end HTTP/1.0\r\n\r\n"],
      ["<", "HTTP/1.0 200 OK\r\n\r\nall that comes"],
    ],
    ['GET /until-the-end "" 200 "all that comes"'],
  ],
  [
    [
      [">", "GET /cut HTTP/1.1\r\n\r\nGET /unanswered HTTP/1.1\r\n\r\n"],
      ["<", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ],
    ['GET /cut "" 200 "half"…', 'GET /unanswered ""'],
  ],
  [
    [
      [">", "GET /socket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"],
      ["<", "HTTP/1.1 101 Switching Protocols\r\n\r\nframes"],
      [">", "frames"],
    ],
    ['GET /socket "" 101 ""'],
  ],
  [
    [
      [">", "GET /a HTTP/1.1\r\n\r\n"],
      ["<", "no answer at all\r\n"],
    ],
    ['GET /a ""'],
  ],
  [
    [
      ["<", "220 ready\r\n"],
      [">", "GET / HTTP/1.1\r\n\r\n"],
    ],
    [],
  ],
];

test("exchanges are the same however the streams are cut into pieces", () => {
  fc.assert(
    fc.property(fc.constantFrom(...cases), fc.integer({ min: 1, max: 200 }), (one, pieceBytes) => {
      expect(read(one[0], pieceBytes)).toEqual(one[1]);
    }),
  );
});

test("any bytes end in exchanges", () => {
  const piece = fc.tuple(
    fc.constantFrom<Side>(">", "<"),
    fc.constantFrom("GET / HTTP/1.1\r\n\r\n", chunked, "\r\n", "HTTP/1.1 204 No\r\n\r\n", "zz\r\n"),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }),
      fc.integer({ min: 1, max: 99 }),
      (pieces, n) => {
        const asked = pieces.filter(([side]) => side === ">").length;
        expect(read(pieces, n).length).toBeLessThanOrEqual(asked);
      },
    ),
  );
});
