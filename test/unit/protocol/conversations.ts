/** Conversations in the protocols that are decoded, byte by byte, and what is read in them. */
import { Direction } from "../../../src/base/direction.ts";
import { ConnectionDecoder } from "../../../src/protocol/connection-decoder.ts";
import type { Message } from "../../../src/protocol/message.ts";

/** Bytes of the client (`>`) or of the server (`<`), in the order in which they come. */
export type Piece = readonly [side: ">" | "<", bytes: Uint8Array];

export interface Conversation {
  readonly name: string;
  readonly pieces: readonly Piece[];
  /**
   * By message: the side, the text, and behind it which question it is (`?1`) or answers (`!1`).
   */
  readonly messages: readonly string[];
}

/** Bytes from text (as Latin-1), numbers and other bytes. */
export function bytesOf(...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === "string"
        ? Buffer.from(part, "latin1")
        : typeof part === "number"
          ? Uint8Array.of(part)
          : part,
    ),
  );
}

function big(value: number, lengthBytes: number): Uint8Array {
  const bytes = Buffer.alloc(lengthBytes);
  bytes.writeUIntBE(value, 0, lengthBytes);
  return bytes;
}

function little(value: number, lengthBytes: number): Uint8Array {
  return big(value, lengthBytes).toReversed();
}

const to = (...parts: readonly (string | number | Uint8Array)[]): Piece => [">", bytesOf(...parts)];
const from = (...parts: readonly (string | number | Uint8Array)[]): Piece => [
  "<",
  bytesOf(...parts),
];

/** A message of PostgreSQL: its type, its length, the rest. */
function pg(type: string, ...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  const payload = bytesOf(...parts);
  return bytesOf(type, big(payload.length + 4, 4), payload);
}

/** A packet of MySQL. */
function my(sequence: number, ...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  const payload = bytesOf(...parts);
  return bytesOf(little(payload.length, 3), sequence, payload);
}

function frame(
  type: number,
  flags: number,
  stream: number,
  ...parts: readonly (string | number | Uint8Array)[]
): Uint8Array {
  const payload = bytesOf(...parts);
  return bytesOf(big(payload.length, 3), type, flags, big(stream, 4), payload);
}

function tlsRecord(type: number, payload: Uint8Array): Uint8Array {
  return bytesOf(type, 3, 3, big(payload.length, 2), payload);
}

function hello(type: number, extensions: Uint8Array, isClient: boolean): Uint8Array {
  const suites = isClient ? [big(2, 2), big(0x1301, 2), 1, 0] : [big(0x1301, 2), 0];
  const body = bytesOf(
    big(0x0303, 2),
    new Uint8Array(32),
    0,
    ...suites,
    big(extensions.length, 2),
    extensions,
  );
  return tlsRecord(22, bytesOf(type, big(body.length, 3), body));
}

function extension(type: number, ...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  const payload = bytesOf(...parts);
  return bytesOf(big(type, 2), big(payload.length, 2), payload);
}

/** What question and answer say of the name that is looked for: `test`, type A. */
const dnsQuestion = bytesOf(4, "test", 0, big(1, 2), big(1, 2));
const dnsQuery = bytesOf(big(7, 2), big(0x0100, 2), big(1, 2), big(0, 6), dnsQuestion);
const dnsAnswer = bytesOf(
  bytesOf(big(7, 2), big(0x8180, 2), big(1, 2), big(1, 2), big(0, 4), dnsQuestion),
  bytesOf(big(0xc00c, 2), big(1, 2), big(1, 2), big(60, 4), big(4, 2), 192, 0, 2, 7),
);

const startup = bytesOf(big(3 << 16, 4), "user\0bob\0database\0shop\0\0");

export const conversations: readonly Conversation[] = [
  {
    name: "HTTP/1",
    pieces: [
      to("GET /items/3 HTTP/1.1\r\nHost: api\r\n\r\n"),
      from("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"),
      to("POST /items HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcHEAD / HTTP/1.1\r\n\r\n"),
      from(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
      ),
      from("5;x=y\r\nabcde\r\n0\r\nTrailer: x\r\n\r\n"),
      from("HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n"),
      to("no HTTP\r\n"),
    ],
    messages: [
      "> GET /items/3 ?1",
      "< 200 !1",
      "> POST /items ?2",
      "> HEAD / ?3",
      "< 100",
      "< 201 !2",
      "< 404 !3",
      "> bytes: no HTTP\r\n",
    ],
  },
  {
    name: "WebSocket",
    pieces: [
      to("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
      from("HTTP/1.1 101 Switching Protocols\r\n\r\n", 0x81, 2, "hi"),
      to(0x81, 0x83, 1, 2, 3, 4, 0x61 ^ 1, 0x62 ^ 2, 0x63 ^ 3),
      to(0x82, 0xfe, big(300, 2), 0, 0, 0, 0, new Uint8Array(300)),
      from(0x88, 5, big(1000, 2), "bye"),
    ],
    messages: [
      "> GET /chat ?1",
      "< 101 !1",
      "< text hi",
      "> text abc",
      "> binary, 300 B",
      "< close 1000 bye",
    ],
  },
  {
    name: "RESP",
    pieces: [
      to("*2\r\n$3\r\nSET\r\n$6\r\nitem:3\r\n*2\r\n$3\r\nGET\r\n$1\r\nx\r\nPING\r\n"),
      from("+OK\r\n$-1\r\n*3\r\n:1\r\n$2\r\nab\r\n*0\r\n"),
      to("*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$6\r\nsecret\r\n"),
      from("-ERR no\r\n"),
      to("*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n"),
      from("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"),
      from("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"),
      from("%1\r\n+a\r\n,1.5\r\n>2\r\n#t\r\n_\r\n"),
      from("garbage\r\n"),
    ],
    messages: [
      "> SET item:3 ?1",
      "> GET x ?2",
      "> PING ?3",
      "< OK !1",
      "< nil !2",
      '< [1, "ab", []] !3',
      "> AUTH … ?4",
      "< error ERR no !4",
      "> SUBSCRIBE news ?5",
      '< ["subscribe", "news", 1] !5',
      '< ["message", "news", "hi"]',
      "< [a, 1.5]",
      "< [true, nil]",
      "< bytes: garbage\r\n",
    ],
  },
  {
    name: "PostgreSQL",
    pieces: [
      to(big(8, 4), big(80877103, 4)),
      from("N"),
      to(big(startup.length + 4, 4), startup),
      from(pg("R", big(0, 4)), pg("K", big(1, 4), big(2, 4)), pg("Z", "I")),
      to(pg("Q", "select  1;\n select 2\0")),
      from(pg("T", big(0, 2)), pg("D", big(0, 2)), pg("C", "SELECT 1\0"), pg("C", "SELECT 2\0")),
      from(pg("Z", "I")),
      to(pg("P", "\0select $1\0", big(0, 2))),
      to(pg("B", "\0\0", big(0, 2), big(2, 2), big(1, 4), "7", big(0xffff_ffff, 4), big(0, 2))),
      to(pg("D", "P\0"), pg("E", "\0", big(0, 4)), pg("S")),
      from(
        pg("1"),
        pg("2"),
        pg("n"),
        pg("E", "SERROR\0VERROR\0C42601\0Mno such\0\0"),
        pg("Z", "I"),
      ),
      to(pg("P", "s1\0select 3\0", big(0, 2)), pg("S")),
      from(pg("1"), pg("Z", "I")),
      to(pg("B", "\0s1\0", big(1, 2), big(1, 2), big(1, 2), big(2, 4), big(9, 2), big(0, 2))),
      to(pg("E", "\0", big(0, 4)), pg("S"), pg("X")),
      from(pg("2"), pg("C", "INSERT 0 1\0"), pg("Z", "I"), pg("A", big(1, 4), "jobs\0go\0")),
      from(pg("N", "SNOTICE\0VNOTICE\0C00000\0Mcareful\0\0")),
    ],
    messages: [
      "> TLS? ?1",
      "< no !1",
      "> connect as bob to shop ?2",
      "< ready !2",
      "> select 1; select 2 ?3",
      "< 1 row; 2 rows !3",
      "> select $1 [7, NULL] ?4",
      "< error 42601: no such !4",
      "> PREPARE select 3 ?5",
      "< done !5",
      "> select 3 [0x0009] ?6",
      "> goodbye",
      "< INSERT 0 1 !6",
      "< notification jobs go",
      "< notice: careful",
    ],
  },
  {
    name: "MySQL",
    pieces: [
      from(my(0, 10, "8.0.36\0", new Uint8Array(60))),
      to(my(1, little(0x0100_0208, 4), new Uint8Array(28), "bob\0", 0, "shop\0")),
      from(my(2, 0, 0, 0, little(2, 2), little(0, 2))),
      to(my(0, 3, "select id\nfrom t")),
      from(my(1, 1), my(2, "column"), my(3, 1, "7"), my(4, 1, "8")),
      from(my(5, 0xfe, 0, 0, little(2, 2), little(0, 2))),
      to(my(0, 3, "insert")),
      from(my(1, 0, 3, 0, little(2, 2), little(0, 2))),
      to(my(0, 0x16, "select ?")),
      from(my(1, 0, little(5, 4), little(1, 2), little(1, 2), 0, 0, 0), my(2, "p"), my(3, "c")),
      to(my(0, 0x17, little(5, 4), 0, little(1, 4))),
      from(my(1, 0xff, little(1064, 2), "#42000oops")),
      to(my(0, 1)),
    ],
    messages: [
      "< server 8.0.36",
      "> log in as bob to shop ?1",
      "< OK !1",
      "> select id from t ?2",
      "< 2 rows !2",
      "> insert ?3",
      "< OK, 3 rows !3",
      "> PREPARE select ? ?4",
      "< prepared !4",
      "> select ? ?5",
      "< error 1064: oops !5",
      "> quit",
    ],
  },
  {
    name: "TLS",
    pieces: [
      [
        ">",
        hello(
          1,
          bytesOf(
            extension(0, big(8, 2), 0, big(5, 2), "a.com"),
            extension(43, 6, big(0x5a5a, 2), big(0x0304, 2), big(0x0303, 2)),
            extension(16, big(12, 2), 2, "h2", 8, "http/1.1"),
          ),
          true,
        ),
      ],
      from(hello(2, extension(43, big(0x0304, 2)), false), tlsRecord(20, bytesOf(1))),
      from(tlsRecord(23, new Uint8Array(40))),
      to(tlsRecord(21, bytesOf(2, 42)), "rest"),
    ],
    messages: [
      "> TLS hello, a.com, TLS 1.3, h2 http/1.1 ?1",
      "< TLS 1.3 !1",
      "< encrypted, 40 B",
      "> alert: bad certificate",
      "> bytes: rest",
    ],
  },
  {
    name: "HTTP/2",
    pieces: [
      from(frame(4, 0, 0)),
      to("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame(4, 0, 0, big(1, 2), big(4096, 4))),
      from(frame(4, 1, 0)),
      // RFC 7541, sections C.4.1 to C.4.3: three requests, with Huffman code and a dynamic table.
      to(frame(1, 5, 1, Buffer.from("828684418cf1e3c2e5f23a6ba0ab90f4ff", "hex"))),
      to(frame(1, 1, 3, Buffer.from("828684be5886", "hex"))),
      to(frame(9, 4, 3, Buffer.from("a8eb10649cbf", "hex"))),
      to(frame(8, 0, 0, big(1000, 4)), frame(6, 0, 0, big(0, 6), big(0, 2))),
      to(
        frame(
          1,
          0x2c,
          5,
          2,
          big(0, 5),
          Buffer.from("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", "hex"),
          0,
          0,
        ),
      ),
      from(frame(1, 4, 3, 0x89), frame(0, 1, 3, "hello")),
      from(frame(1, 5, 1, 0x8d), frame(3, 0, 5, big(8, 4))),
      from(frame(1, 5, 3, 0, 11, "grpc-status", 1, "0")),
      from(frame(7, 0, 0, big(5, 4), big(0, 4), "bye")),
    ],
    messages: [
      "< settings",
      "> settings",
      "> GET / ?1",
      "> GET / ?2",
      "> ping",
      "> GET /index.html ?3",
      "< 204 !2",
      "< stream 3: 5 B, its last",
      "< 404 !1",
      "< stream 5: reset, error 8",
      "< stream 3: grpc-status: 0",
      "< goes away, error 0 bye",
    ],
  },
  {
    name: "HTTP/2 after an upgrade",
    pieces: [
      to("GET /a HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"),
      from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", frame(4, 0, 0)),
      to("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame(4, 0, 0)),
      from(frame(1, 5, 1, 0x88)),
      to(frame(1, 5, 3, 0x82, 0x84)),
      from(frame(1, 5, 3, 0x8d)),
    ],
    messages: [
      "> GET /a ?1",
      "< 101",
      "< settings",
      "> settings",
      "< 200 !1",
      "> GET / ?2",
      "< 404 !2",
    ],
  },
  {
    name: "DNS over TCP",
    pieces: [to(big(dnsQuery.length, 2), dnsQuery), from(big(dnsAnswer.length, 2), dnsAnswer)],
    messages: ["> A? test ?7", "< 192.0.2.7 !7"],
  },
  {
    name: "bytes of no protocol",
    pieces: [from("220 ready\r\n"), to("EHLO me\r\n")],
    messages: ["< bytes: 220 ready\r\n", "> bytes: EHLO me\r\n"],
  },
];

/** Decodes pieces, and tells the messages as a {@link Conversation} has them. */
export function decode(pieces: readonly Piece[]): string[] {
  const decoder = new ConnectionDecoder();
  const messages = pieces.flatMap(([side, bytes], event) => {
    // The memory is used again for the next piece.
    const lent = Uint8Array.from(bytes);
    const direction = side === ">" ? Direction.toServer : Direction.toClient;
    const complete = decoder.push(direction, lent, { event, atNs: 1000 * event });
    lent.fill(0xee);
    return complete;
  });
  return [...messages, ...decoder.end()].map(described);
}

function described({ direction, protocol, text, question, answers }: Message): string {
  const side = direction === Direction.toServer ? ">" : "<";
  const said = protocol === undefined ? `bytes: ${text}` : text;
  const number = question ?? answers;
  const pairing = number === undefined ? "" : ` ${question === undefined ? "!" : "?"}${number}`;
  return `${side} ${said}${pairing}`;
}
