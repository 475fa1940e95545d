import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { CompareParts, Comparison as Compared } from "../../../src/replay/compare/compare.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import type { Mask } from "../../../src/replay/compare/masks.ts";
import { TestRecording } from "./recording.ts";

/** A client whose recorded stream is these pieces, with bytes of the server in between. */
class Comparison {
  readonly found: Difference[] = [];
  readonly recording: TestRecording = new TestRecording();
  readonly stream: Compared;
  /** All that the server sends in between, unless a test says otherwise. */
  deliveredBytes = Infinity;

  constructor(pieces: readonly string[], masks: readonly Mask[] = [], fast = false, isCut = false) {
    const number = this.recording.connect(0, 1, 0, 80);
    this.recording.event(0, number, RecordKind.accept, Direction.toClient);
    for (const piece of pieces) {
      const payload = Buffer.from(piece, "latin1");
      this.recording.event(0, number, RecordKind.data, Direction.toServer, payload);
      this.recording.event(0, number, RecordKind.data, Direction.toClient, Buffer.from("between"));
    }
    const parts: CompareParts = {
      index: this.recording.finish(),
      read: this.recording.read,
      report: (difference) => this.found.push(difference),
      masks,
      isCut: () => isCut,
      deliveredBytes: () => this.deliveredBytes,
      ...(fast ? { equal } : {}),
    };
    this.stream = comparisonFor(parts, number, Direction.toServer);
  }

  push(...texts: string[]): this {
    for (const text of texts)
      this.stream.push(Buffer.from(`!!${text}!!`, "latin1"), 2, Buffer.from(text, "latin1").length);
    return this;
  }

  finish(): Difference[] {
    this.stream.finish();
    return this.found;
  }
}

function equal(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  return Buffer.compare(a.subarray(aAt, aAt + length), b.subarray(bAt, bAt + length)) === 0;
}

function hex(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

test("the same bytes are the same however they are cut", () => {
  const pieces = fc.array(fc.string({ minLength: 1, unit: "binary-ascii" }), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 7 }), fc.boolean(), (recorded, size, fast) => {
      const whole = recorded.join("");
      const one = new Comparison(recorded, [], fast);
      for (let at = 0; at < whole.length; at += size) one.push(whole.slice(at, at + size));
      expect(one.stream.position).toBe(whole.length);
      expect(one.finish()).toEqual([]);
    }),
  );
});

test("the first difference is told with what came before and what comes after", () => {
  const one = new Comparison(["GET /index.html HTTP/1.1\r\n", "Host: server\r\n\r\n"]);
  one.push("GET /index.", "txt HTTP/1.1\r\nHost: x\r\n\r\n", "and so on, which differs as well");
  expect(one.found).toMatchObject([
    {
      kind: "bytes",
      process: "client",
      connection: 1,
      direction: "to server",
      offset: 11,
      before: hex("GET /index."),
      recorded: hex("html HTTP/1.1\r\nHost: server\r\n\r\n"),
      live: hex("txt HTTP/1.1\r\nHost: x\r\n\r\nand so "),
    },
  ]);
  expect(one.finish()).toHaveLength(1);
  expect(one.stream.position).toBe(11 + 25 + 32);
});

test("a difference at the very end is told when the stream is over", () => {
  const one = new Comparison(["hello"]).push("hellO");
  expect(one.found).toEqual([]);
  expect(one.stream.position).toBe(5);
  expect(one.finish()).toMatchObject([{ kind: "bytes", offset: 4, recorded: "6f", live: "4f" }]);
});

test("bytes beyond the recorded end", () => {
  const one = new Comparison(["hello"]).push("hello", ", wor", "ld");
  expect(one.finish()).toMatchObject([
    { kind: "extra-bytes", offset: 5, before: hex("hello"), live: hex(", world") },
  ]);
  expect(new Comparison([]).push("x").finish()).toMatchObject([{ kind: "extra-bytes", offset: 0 }]);
});

function cut(all: string, sizeBytes: number): string[] {
  return Array.from({ length: Math.ceil(all.length / sizeBytes) }, (_, i) =>
    all.slice(i * sizeBytes, (i + 1) * sizeBytes),
  );
}

test("where bytes first differ does not depend on how they are cut", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 40 });
  fc.assert(
    fc.property(text, text, fc.integer({ min: 1, max: 9 }), (recorded, live, size) => {
      const whole = new Comparison([recorded].filter(Boolean)).push(live);
      const cutUp = new Comparison(cut(recorded, 3), []).push(...cut(live, size));
      expect(cutUp.finish()).toEqual(whole.finish());
      expect(cutUp.stream.position).toBe(live.length);
      const first = live.split("").findIndex((letter, i) => letter !== recorded[i]);
      expect(whole.found.map((one) => "offset" in one && one.offset)).toEqual(
        first < 0 ? [] : [first],
      );
    }),
  );
});

const dates: Mask = { pattern: /Date: [^\r]*/ };
const ids: Mask = { port: 80, direction: "to server", pattern: /id=\d+/ };

test("what a mask covers may differ, also in length", () => {
  const one = new Comparison(
    ["Date: Mon, 1\r\nid=1;rest", ";Date: Tue\r\n", "id=12345;end"],
    [dates, ids],
  );
  one.push("Date: Tue, 12 May\r\nid=100;rest", ";Date: \r\nid=", "7;end");
  expect(one.finish()).toEqual([]);
  expect(one.stream.position).toBe(23 + 12 + 12);
});

test("masked bytes are masked however they are cut", () => {
  const recorded = "a=1\r\nDate: Monday\r\nid=1;Date: x\r\nid=99999;end";
  const live = "a=1\r\nDate: Tuesday noon\r\nid=1234;Date: yy\r\nid=1;end";
  fc.assert(
    fc.property(fc.array(fc.nat(12), { maxLength: 60 }), fc.nat(9), (sizes, by) => {
      const pieces = recorded.match(new RegExp(`[^]{1,${by + 1}}`, "g")) ?? [];
      const one = new Comparison(pieces, [dates, ids]);
      let at = 0;
      for (const size of sizes) {
        one.push(live.slice(at, at + size));
        at = Math.min(live.length, at + size);
      }
      one.push(live.slice(at));
      expect(one.stream.position).toBe(recorded.length);
      expect(one.finish()).toEqual([]);
    }),
  );
});

test("masked bytes at the end may be fewer or more", () => {
  for (const live of ["id=1", "id=1234", "id=123456789"])
    for (const end of [true, false]) {
      const one = new Comparison(["id=1234"], [ids]).push(live);
      expect(one.stream.foreseenBytes).toBe(7);
      if (end) expect(one.finish()).toEqual([]);
    }
});

test("the schedule is not kept waiting for masked bytes that need not come", () => {
  const one = new Comparison(["id=1234", "\r\n"], [ids]).push("id=1");
  expect(one.stream.position).toBe(4);
  expect(one.stream.foreseenBytes).toBe(7);
  one.stream.foresee();
  expect(one.stream.position).toBe(7);
  one.push("2\r\n");
  expect(one.stream.position).toBe(9);
  expect(one.finish()).toEqual([]);
});

test("a mask does not answer for what the process has not been asked yet", () => {
  const all: Mask = { pattern: /[^]*/ };
  const one = new Comparison(["ask 1", "ask 22", "ask 3"], [all]);
  one.deliveredBytes = 0;
  one.push("ask 77");
  expect([one.stream.position, one.stream.foreseenBytes]).toEqual([5, 5]);
  one.deliveredBytes = "between".length;
  expect([one.stream.position, one.stream.foreseenBytes]).toEqual([5, 11]);
  one.push("ask 2");
  expect([one.stream.position, one.stream.foreseenBytes]).toEqual([10, 11]);
  one.stream.foresee();
  one.deliveredBytes = 2 * "between".length;
  one.push("ask 3");
  expect(one.stream.position).toBe(16);
  expect(one.finish()).toEqual([]);
});

test("a mask does not hide what is beside it, and is shown as such", () => {
  const one = new Comparison(["Date: Mon\r\nHost: a\r\n\r\n"], [dates]);
  one.push("Date: Tuesday\r\nHost: b\r\n\r\n");
  expect(one.finish()).toMatchObject([
    {
      kind: "bytes",
      offset: 17,
      before: `${hex("Date: ")}${"..".repeat(3)}${hex("\r\nHost: ")}`,
      recorded: hex("a\r\n\r\n"),
      live: hex("b\r\n\r\n"),
    },
  ]);
});

test("a mask that only the recording matches covers nothing", () => {
  const one = new Comparison(["id=12;end"], [ids]).push("id=ab;end");
  expect(one.finish()).toMatchObject([{ kind: "bytes", offset: 3 }]);
});

test("masks apply where they are meant to", () => {
  const elsewhere: Mask[] = [
    { ...ids, port: 81 },
    { ...ids, direction: "to client" },
    { ...ids, container: "server" },
  ];
  expect(new Comparison(["id=1;"], elsewhere).push("id=2;").finish()).toHaveLength(1);
  const here: Mask = { ...ids, container: "client" };
  expect(new Comparison(["id=1;"], [here]).push("id=2;").finish()).toEqual([]);
});

test("a mask over more than there is room for ends", () => {
  const all: Mask = { pattern: /[^]*/ };
  const one = new Comparison(["a".repeat(100_000)], [all]);
  for (let i = 0; i < 100; i++) one.push("b".repeat(1000));
  one.finish();
  expect(one.stream.position).toBeGreaterThan(60_000);
});

test("equal streams are read once, in pieces as they were recorded", () => {
  const one = new Comparison(["a".repeat(50), "b".repeat(50)], [], true);
  one.push("a".repeat(50) + "b".repeat(50));
  expect(one.recording.reads).toBe(2);
});

test("going on where the peer cut the stream off is a note; other bytes before that are a difference", () => {
  const beyond = new Comparison(["12345"], [], true, true).push("123", "456", "789");
  expect(beyond.finish()).toMatchObject([{ kind: "beyond-cut", offset: 5, process: "client" }]);
  expect(beyond.stream.hasDiffered).toBe(false);
  const other = new Comparison(["12345"], [], true, true).push("1x345678");
  expect(other.finish()).toMatchObject([{ kind: "bytes", offset: 1 }]);
});

test("bytes that an imported recording lacks may be any, and what follows them is compared", () => {
  const recording = new TestRecording();
  const number = recording.connect(0, 1, 0, 80);
  const say = (text: string): void =>
    recording.event(0, number, RecordKind.data, Direction.toServer, Buffer.from(text));
  recording.event(0, number, RecordKind.accept, Direction.toClient);
  say("one");
  recording.skip(number, Direction.toServer, 4);
  say("three");
  const index = recording.finish();
  for (const [live, kinds] of [
    ["one two three", ["bytes"]],
    ["one2222three", []],
    ["one2222thr!e", ["bytes"]],
    ["one2222three and more", ["extra-bytes"]],
  ] as const)
    for (const size of [1, 2, 5, 100]) {
      const found: Difference[] = [];
      const stream = comparisonFor(
        {
          index,
          read: recording.read,
          report: (difference) => found.push(difference),
          masks: [],
          isCut: () => false,
          deliveredBytes: () => 0,
        },
        number,
        Direction.toServer,
      );
      for (let at = 0; at < live.length; at += size)
        stream.push(Buffer.from(live), at, Math.min(size, live.length - at));
      stream.finish();
      expect(found.map(({ kind }) => kind)).toEqual(kinds);
    }
});
