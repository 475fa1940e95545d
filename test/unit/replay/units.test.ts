import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { Comparison } from "../../../src/replay/compare/compare.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import type { Mask } from "../../../src/replay/compare/masks.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { TestRecording } from "./recording.ts";

const { toServer, toClient } = Direction;
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const text = (value: string): Buffer =>
  Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);

/** RFC 7541, section 6.2.1 with indexing (`first` 0x40), 6.2.2 without (0). */
function block(fields: Readonly<Record<string, string>>, first = 0): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([name, value]) =>
      Buffer.concat([Buffer.of(first), text(name), text(value)]),
    ),
  );
}

const settings = frame(4, 0, 0, Buffer.from("000300000064", "hex"));
const free = [
  frame(4, 1, 0, Buffer.alloc(0)),
  frame(8, 0, 0, Buffer.from("00001000", "hex")),
  frame(8, 0, 3, Buffer.from("00001000", "hex")),
  frame(6, 0, 0, Buffer.alloc(8, 7)),
  frame(6, 1, 0, Buffer.alloc(8, 9)),
];

interface Answer {
  readonly status: string;
  readonly content: string;
  readonly grpc: string;
}

const answers: Readonly<Record<number, Answer>> = {
  1: { status: "200", content: "a".repeat(50), grpc: "0" },
  3: { status: "404", content: "hello world, this is stream three", grpc: "5" },
  5: { status: "200", content: "fifth", grpc: "0" },
};

/** The frames of one answer, its data cut into pieces of some size. */
function framesOf(stream: number, { status, content, grpc }: Answer, size: number): Buffer[] {
  const data: Buffer[] = [];
  for (let at = 0; at < content.length; at += size)
    data.push(frame(0, 0, stream, Buffer.from(content.slice(at, at + size))));
  return [
    frame(1, 4, stream, block({ ":status": status, server: "x" })),
    ...data,
    frame(1, 5, stream, block({ "grpc-status": grpc })),
  ];
}

/** All frames of some streams, those of each in order, as `turns` choose the next stream. */
function interleaved(streams: readonly (readonly Buffer[])[], turns: readonly number[]): Buffer[] {
  const left = streams.map((frames) => [...frames]);
  const all: Buffer[] = [];
  for (let turn = 0; left.some((frames) => frames.length > 0); turn++) {
    const waiting = left.filter((frames) => frames.length > 0);
    const next = waiting[(turns[turn % turns.length] ?? 0) % waiting.length];
    all.push(next?.shift() as Buffer);
  }
  return all;
}

class Compared {
  readonly found: Difference[] = [];
  readonly length: number;
  readonly comparison: Comparison;

  /** A server whose frames are these, behind what its client opens with. */
  constructor(
    frames: readonly Buffer[],
    masks: readonly Mask[] = [],
    opening: Buffer = Buffer.concat([preface, settings]),
  ) {
    const recording = new TestRecording();
    const number = recording.connect(0, 1, 0, 80);
    recording.event(0, number, RecordKind.accept, toClient);
    recording.event(0, number, RecordKind.data, toServer, opening);
    const whole = Buffer.concat(frames);
    for (let at = 0; at < whole.length; at += 40)
      recording.event(0, number, RecordKind.data, toClient, whole.subarray(at, at + 40));
    this.length = whole.length;
    const parts = {
      index: recording.finish(),
      read: recording.read,
      report: (difference: Difference) => this.found.push(difference),
      masks,
      isCut: () => false,
      deliveredBytes: () => Infinity,
    };
    this.comparison = comparisonFor(parts, number, toClient);
  }

  push(frames: readonly Buffer[], size = 1000): this {
    const whole = Buffer.concat(frames);
    for (let at = 0; at < whole.length; at += size) {
      const piece = Buffer.from(whole.subarray(at, at + size));
      this.comparison.push(piece, 0, piece.length);
      piece.fill(0);
    }
    return this;
  }

  finish(): Difference[] {
    this.comparison.finish();
    return this.found;
  }
}

const streams = (size: number): Buffer[][] =>
  Object.entries(answers).map(([stream, answer]) => framesOf(Number(stream), answer, size));
const recorded = [settings, ...interleaved(streams(10), [0, 1, 2])];

test("streams in any order, data cut in any way, and flow control anywhere are no difference", () => {
  const turns = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 30 });
  const between = fc.array(fc.tuple(fc.nat({ max: 40 }), fc.constantFrom(...free)));
  fc.assert(
    fc.property(
      turns,
      turns,
      between,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 100 }),
      (then, now, inserted, dataSize, pieceSize) => {
        const compared = new Compared([settings, ...interleaved(streams(7), then)]);
        const live = [settings, ...interleaved(streams(dataSize), now)];
        for (const [at, one] of inserted) live.splice(at % (live.length + 1), 0, one);
        compared.push(live, pieceSize);
        expect(compared.comparison.position).toBe(compared.length);
        expect(compared.finish()).toEqual([]);
      },
    ),
  );
});

test("flow control that was recorded need not come", () => {
  const compared = new Compared([...free, ...recorded, ...free]);
  compared.push(recorded);
  expect(compared.comparison.position).toBe(compared.length);
  expect(compared.finish()).toEqual([]);
});

test("how headers were encoded does not matter", () => {
  const fields = { ":status": "200", server: "x" };
  const first = frame(1, 4, 1, block(fields, 0x40));
  // The fields that the first block added to the table: 62 and 63 are the last ones.
  const again = frame(1, 4, 3, Buffer.of(0xbf, 0xbe));
  const compared = new Compared([first, again]);
  compared.push([frame(1, 4, 3, block(fields, 0x40)), frame(1, 4, 1, block(fields))]);
  expect(compared.comparison.position).toBe(compared.length);
  expect(compared.finish()).toEqual([]);
});

test("the position stays before what has not come, and counts data by its amount", () => {
  const [one, three] = [
    framesOf(1, answers[1] as Answer, 10),
    framesOf(3, answers[3] as Answer, 10),
  ];
  const compared = new Compared([...one.slice(0, 3), ...three.slice(0, 3)]);
  compared.push([one[0] as Buffer]);
  expect(compared.comparison.position).toBe(one[0]?.length);
  // Data of stream 3 come before those of stream 1.
  compared.push([three[0] as Buffer, three[1] as Buffer]);
  expect(compared.comparison.position).toBe(Buffer.concat(one.slice(0, 2)).length);
  compared.push([one[1] as Buffer, one[2] as Buffer]);
  expect(compared.comparison.position).toBe(compared.length - 9 - 10);
});

function withAnswer(stream: number, change: Partial<Answer>): Buffer[] {
  const changed = { ...answers, [stream]: { ...(answers[stream] as Answer), ...change } };
  const all = Object.entries(changed).map(([key, one]) => framesOf(Number(key), one, 10));
  return [settings, ...interleaved(all, [2, 0, 1])];
}

describe("a fault is reported, with the stream, the frame and the header", () => {
  test.each<[string, readonly Buffer[], string]>([
    ["another status", withAnswer(3, { status: "500" }), "stream 3, HEADERS, :status"],
    ["another trailer", withAnswer(5, { grpc: "2" }), "stream 5, HEADERS, grpc-status"],
    [
      "a byte that is missing at the end",
      withAnswer(1, { content: "a".repeat(49) }),
      "stream 1, DATA",
    ],
    ["another byte", withAnswer(5, { content: "filth" }), "stream 5, DATA"],
    ["a byte more", withAnswer(5, { content: "fifth!" }), "stream 5, HEADERS"],
    [
      "other settings",
      [frame(4, 0, 0, Buffer.alloc(6, 1)), ...recorded.slice(1)],
      "connection, SETTINGS, MAX_CONCURRENT_STREAMS",
    ],
    [
      "a stream that is reset",
      [...recorded, frame(3, 0, 5, Buffer.alloc(4))],
      "stream 5, END_STREAM",
    ],
    ["one more stream", [...recorded, frame(1, 5, 7, block({ ":status": "200" }))], "stream 7"],
  ])("%s", (_, live, unit) => {
    const found = new Compared(recorded).push(live).finish();
    expect(found).toHaveLength(1);
    expect(found).toMatchObject([{ unit }]);
  });

  test("a byte that is missing within a frame", () => {
    const whole = Buffer.concat(recorded);
    const cut = Buffer.concat([whole.subarray(0, 100), whole.subarray(101)]);
    expect(new Compared(recorded).push([cut]).finish().length).toBeGreaterThan(0);
  });

  test("a stream that does not come leaves the position behind", () => {
    const compared = new Compared(recorded);
    compared.push(interleaved([...streams(10).slice(0, 2), [settings]], [2]));
    expect(compared.finish()).toEqual([]);
    expect(compared.comparison.position).toBeLessThan(compared.length);
    expect(compared.comparison.awaitedUnit).toBe("stream 5, HEADERS");
  });
});

test("after an upgrade, frames are compared as well", () => {
  const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  const answer = Buffer.from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
  const compared = new Compared([answer, ...recorded], [], Buffer.from(request));
  compared.push([answer, ...interleaved([[settings], ...streams(3)], [1, 0, 2])], 9);
  expect(compared.comparison.position).toBe(compared.length);
  expect(compared.finish()).toEqual([]);
  const refused = new Compared([answer, ...recorded], [], Buffer.from(request));
  const found = refused.push([Buffer.from("HTTP/1.1 200 OK\r\n\r\n")]).finish();
  expect(found).toMatchObject([{ kind: "bytes", unit: "connection, HTTP/1" }]);
});

test("a mask covers a header", () => {
  const mask = { pattern: /:status: \d+/ };
  expect(new Compared(recorded, [mask]).push(withAnswer(3, { status: "500" })).finish()).toEqual(
    [],
  );
});

test("any bytes after the preface are compared to their end", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      (then, now) => {
        const compared = new Compared([Buffer.from(then)]);
        compared.push([Buffer.from(now)], 7).finish();
        const isSame = Buffer.compare(then, now) === 0;
        if (isSame) expect(compared.found).toEqual([]);
      },
    ),
    { numRuns: 1000 },
  );
});
