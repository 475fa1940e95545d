/** What becomes of connections, written down as the packets that were captured. */
import { expect, test } from "vitest";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../../src/net/packet.ts";
import { type Heard, hear, textOf } from "./events.ts";
import { ethernet, pcapFile, PcapngFile, tcp, type TcpFields } from "./packets.ts";

type Script = Partial<TcpFields> & { readonly at?: number };

/** From the client, 10.0.0.1:4711. */
function c(sequence: number, fields: Script = {}): Script {
  return { fromPort: 4711, toPort: 80, sequence, ...fields };
}

/** From the server, 10.0.0.2:80. */
function s(sequence: number, fields: Script = {}): Script {
  return { from: "10.0.0.2", to: "10.0.0.1", fromPort: 80, toPort: 4711, sequence, ...fields };
}

/** Milliseconds between packets, unless `at` (in milliseconds) says otherwise. */
function captured(script: readonly Script[], snapBytes = 1 << 18): Heard {
  const frames = script.map(({ at, ...fields }, i) => ({
    bytes: ethernet(tcp(fields as TcpFields)),
    atNs: BigInt(at ?? i) * 1_000_000n,
  }));
  return hear(pcapFile(frames, { snapBytes }));
}

const text = (words: string): Uint8Array => Buffer.from(words);
const syn = c(100, { flags: TCP_SYN });
const synAck = s(500, { acknowledgment: 101, flags: TCP_SYN | TCP_ACK });
const handshake = [syn, synAck, c(101, { acknowledgment: 501 })];

/** The same with any times, in seconds: pcapng counts them in 64 bits. */
function capturedAt(seconds: bigint, script: readonly Script[]): Heard {
  const file = new PcapngFile().interface(1, [{ code: 9, value: Uint8Array.of(0) }]);
  for (const fields of script) file.packet(0, seconds, ethernet(tcp(fields as TcpFields)));
  return hear(file.bytes);
}

function sent(heard: Heard, connection = 0): string[] {
  return heard.connections[connection]?.sent.map(textOf) ?? [];
}

test("an answer that was captured before its question comes after it", () => {
  const heard = captured([
    ...handshake,
    s(501, { acknowledgment: 109, payload: text("answer") }),
    c(101, { acknowledgment: 501, payload: text("question") }),
  ]);
  expect(heard.log.slice(2)).toEqual(["1 data > 8", "1 data < 6"]);
  expect(heard.findings.isComplete).toBe(true);
});

test("bytes that were acknowledged and not captured are missing, and what follows goes on", () => {
  const heard = captured([
    ...handshake,
    c(101, { acknowledgment: 501, payload: text("one") }),
    c(107, { acknowledgment: 501, payload: text("three") }),
    s(501, { acknowledgment: 112, payload: text("thanks") }),
    c(112, { acknowledgment: 507, payload: text("!"), at: 400 }),
  ]);
  expect(sent(heard)).toEqual(["one[3]three!", "thanks"]);
  expect(heard.findings.gaps).toMatchObject([
    { connection: 1, isFromClient: true, offset: 3, lengthBytes: 3, reason: "not captured" },
  ]);
});

test("a hole is given up even if the clock is too far ahead to count its time", () => {
  const heard = capturedAt(1n << 62n, [
    ...handshake,
    c(107, { acknowledgment: 501, payload: text("three") }),
    s(501, { acknowledgment: 112, payload: text("thanks") }),
  ]);
  expect(sent(heard)).toEqual(["[6]three", "thanks"]);
});

test("a hole that the receiver has as well is none: what is behind it was never delivered", () => {
  const heard = captured([
    ...handshake,
    c(107, { acknowledgment: 501, payload: text("three") }),
    s(501, { acknowledgment: 101, payload: text("still waiting") }),
  ]);
  expect(sent(heard)).toEqual(["", "still waiting"]);
  expect(heard.findings.missing.bytes).toBe(0);
});

test("what the snapshot length cut off is missing", () => {
  const payload = text("a long payload that is cut");
  const heard = captured([...handshake, c(101, { acknowledgment: 501, payload })], 14 + 40 + 6);
  expect(heard.findings.gaps).toMatchObject([{ offset: 6, lengthBytes: 20 }]);
  expect(sent(heard)).toEqual(["a long", ""]);
});

test("a port that is used again makes another connection", () => {
  const closed = [
    ...handshake,
    c(101, { acknowledgment: 501, payload: text("first") }),
    c(106, { acknowledgment: 501, flags: TCP_FIN | TCP_ACK }),
    s(501, { acknowledgment: 107, flags: TCP_FIN | TCP_ACK }),
    c(107, { acknowledgment: 502 }),
  ];
  const heard = captured([
    ...closed,
    c(9000, { flags: TCP_SYN }),
    s(7000, { acknowledgment: 9001, flags: TCP_SYN | TCP_ACK }),
    // A late copy of the first connection's data is not the second's.
    c(101, { acknowledgment: 501, payload: text("first") }),
    c(9001, { acknowledgment: 7001, payload: text("second") }),
  ]);
  expect(sent(heard, 0)).toEqual(["first", ""]);
  expect(sent(heard, 1)).toEqual(["second", ""]);
});

test("both ends that begin at once make one connection of whoever was first", () => {
  const heard = captured([
    syn,
    s(500, { flags: TCP_SYN }),
    c(100, { acknowledgment: 501, flags: TCP_SYN | TCP_ACK }),
    s(501, { acknowledgment: 101 }),
    c(101, { acknowledgment: 501, payload: text("hi") }),
  ]);
  expect(heard.log).toEqual(["1 connect", "1 accept", "1 data > 2"]);
});

test("a SYN that meets an earlier connection on its ports is tried again, and is one connection", () => {
  const challenge = s(70_000_000, { acknowledgment: -5000, flags: TCP_ACK });
  const rejected = c(-5000, { flags: TCP_RST });
  const again = { ...syn, at: 1000 };
  const script = [syn, challenge, rejected, again, { ...synAck, at: 1001 }];
  const rest = [
    c(101, { acknowledgment: 501, at: 1002 }),
    c(101, { acknowledgment: 501, payload: text("hello"), at: 1003 }),
  ];
  const heard = captured([...script, ...rest]);
  expect(heard.log).toEqual(["1 connect", "1 accept", "1 data > 5"]);
  expect(heard.findings.missing).toMatchObject({ predecessors: 1, gaps: 0 });
  const earlier = [c(-9000, { flags: TCP_SYN, at: -2 }), s(-70, { acknowledgment: -8999, at: -1 })];
  const known = captured(
    [...earlier, ...script, ...rest].map((one) => ({ ...one, at: (one.at ?? 0) + 10 })),
  );
  expect(known.findings.missing.predecessors).toBe(0);
});

test("an acknowledgment before the server's SYN, with a number of its own, is of another connection", () => {
  const heard = captured([
    c(1000, { flags: TCP_SYN }),
    s(2000, { acknowledgment: 1001 }),
    s(3000, { flags: TCP_SYN }),
    c(1000, { acknowledgment: 3001, flags: TCP_SYN | TCP_ACK }),
    s(3001, { acknowledgment: 1001 }),
    c(1001, { acknowledgment: 3001, payload: text("data") }),
    s(3001, { acknowledgment: 1005, payload: text("answer") }),
  ]);
  expect(sent(heard)).toEqual(["data", "answer"]);
  expect(heard.findings.missing).toMatchObject({ predecessors: 1, bytes: 0 });
});

test("attempts: refused, given up, and without an answer", () => {
  const refused = captured([syn, s(0, { acknowledgment: 101, flags: TCP_RST | TCP_ACK })]);
  expect(refused.log).toEqual(["1 connect", "1 refuse"]);
  const abandoned = captured([syn, c(101, { flags: TCP_RST })]);
  expect(abandoned.log).toEqual(["1 connect", "1 reset >"]);
  const unanswered = captured([syn, { ...syn, at: 1000 }, { ...syn, at: 3000 }]);
  expect(unanswered.log).toEqual(["1 connect"]);
  expect(unanswered.findings.isComplete).toBe(true);
});

test("a reset's payload is not delivered, and a reset of another time does not end anything", () => {
  const withPayload = captured([
    ...handshake,
    s(501, { acknowledgment: 101, payload: text("data") }),
    c(101, { acknowledgment: 505, flags: TCP_RST | TCP_ACK, payload: text("because") }),
  ]);
  expect(withPayload.log.slice(2)).toEqual(["1 data < 4", "1 reset >"]);
  const forged = captured([
    ...handshake,
    s(9000, { flags: TCP_RST }),
    s(501, { acknowledgment: 101, payload: text("data") }),
  ]);
  expect(forged.log.slice(2)).toEqual(["1 data < 4"]);
});

test("data in a SYN counts if the server acknowledged it", () => {
  const withData = c(100, { flags: TCP_SYN, payload: text("early") });
  const taken = captured([
    withData,
    s(500, { acknowledgment: 106, flags: TCP_SYN | TCP_ACK }),
    c(106, { acknowledgment: 501, payload: text(" late") }),
  ]);
  expect(sent(taken)).toEqual(["early late", ""]);
  const unanswered = captured([withData]);
  expect(unanswered.log).toEqual(["1 connect"]);
  expect(unanswered.findings.ignored).toMatchObject({ straySegments: 1, strayBytes: 5 });
  const refused = captured([
    withData,
    synAck,
    c(101, { acknowledgment: 501, payload: text("again late") }),
  ]);
  expect(sent(refused)).toEqual(["again late", ""]);
});

test("a capture that begins in the middle is imported from its first byte on", () => {
  const heard = captured([
    c(5000, { acknowledgment: 800 }),
    c(5000, { acknowledgment: 800, payload: text("GET") }),
    s(800, { acknowledgment: 5003, payload: text("200") }),
  ]);
  expect(heard.connections[0]).toMatchObject({ clientPort: 4711, serverPort: 80 });
  expect(sent(heard)).toEqual(["GET", "200"]);
  expect(heard.findings.missing).toMatchObject({ bytes: 0, excerpts: 1 });
});

test("a capture that begins with an answer before its question has both", () => {
  const heard = captured([
    s(800, { acknowledgment: 5003, payload: text("200") }),
    c(5000, { acknowledgment: 800, payload: text("GET") }),
    c(5003, { acknowledgment: 803, payload: text("PUT") }),
  ]);
  expect(sent(heard)).toEqual(["GETPUT", "200"]);
  expect(heard.findings.missing).toMatchObject({ bytes: 0, excerpts: 1 });
});

test("one direction alone says how much the other one sent", () => {
  const heard = captured([
    syn,
    c(101, { acknowledgment: 501 }),
    c(101, { acknowledgment: 501, payload: text("GET") }),
    c(104, { acknowledgment: 1501 }),
    c(104, { acknowledgment: 1501, payload: text("GET") }),
  ]);
  expect(sent(heard)).toEqual(["GETGET", ""]);
  expect(heard.findings.gaps).toMatchObject([
    { isFromClient: false, offset: 0, lengthBytes: 1000 },
  ]);
  expect(heard.findings.missing.halves).toBe(1);
});

test("keep-alive probes, with a byte or without, are no data", () => {
  const heard = captured([
    ...handshake,
    c(101, { acknowledgment: 501, payload: text("hi") }),
    c(102, { acknowledgment: 501 }),
    c(102, { acknowledgment: 501, payload: text("\0") }),
    c(103, { acknowledgment: 501, payload: text("!") }),
  ]);
  expect(sent(heard)).toEqual(["hi!", ""]);
  expect(heard.findings.repaired).toMatchObject({ keepAlives: 2, retransmitted: 0 });
});

test("a packet that was to be segmented has the length that the capture says", () => {
  const heard = captured([
    ...handshake,
    c(101, { acknowledgment: 501, payload: Buffer.alloc(70_000, "x"), totalBytes: 0 }),
  ]);
  expect(sent(heard)[0]).toHaveLength(70_000);
  expect(heard.findings.repaired.withoutLength).toBe(1);
});

test("an acknowledgment that leaps far ahead is not believed on its own", () => {
  const heard = captured([
    ...handshake,
    s(501, { acknowledgment: 0x4000_0000, payload: text("odd") }),
    s(504, { acknowledgment: 101, payload: text(" fine") }),
  ]);
  expect(sent(heard)).toEqual(["", "odd fine"]);
  expect(heard.findings.missing.bytes).toBe(0);
});

test("where waiting segments overlap with other bytes, the kernel's choice stands", () => {
  // Linux reads them by sequence number: of two that overlap in part, the one that begins first.
  const heard = captured([
    ...handshake,
    c(105, { acknowledgment: 501, payload: text("BBBBBB") }),
    c(103, { acknowledgment: 501, payload: text("AAAA") }),
    c(105, { acknowledgment: 501, payload: text("CCC") }),
    c(101, { acknowledgment: 501, payload: text("zz") }),
    c(101, { acknowledgment: 501, payload: text("yyyy") }),
  ]);
  expect(sent(heard)).toEqual(["zzAAAABBBB", ""]);
});
