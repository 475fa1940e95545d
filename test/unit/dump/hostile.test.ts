// Dumps that somebody made on purpose, with check sums that are right: found by fuzzing, and by
// thinking.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DumpError } from "../../../src/base/errors.ts";
import type { DumpEnd, DumpItem } from "../../../src/dump/format/decoder.ts";
import { BlockReader } from "../../../src/dump/format/framing.ts";
import { BlockBuilder, BlockType, OptionCode } from "../../../src/dump/format/pcapng.ts";
import { RecordAt, RecordKind, recordTailBytes, TailAt } from "../../../src/dump/format/schema.ts";
import { renderRun, summarize } from "../../../src/report/summary.ts";
import { mutate } from "../../fuzz/mutations.ts";
import { readAll } from "../../fuzz/readers.ts";
import { blocksOf, repair } from "../../fuzz/repair.ts";
import { makeSeeds } from "../../fuzz/seeds.ts";
import { decode, run, smallRecording } from "./recording.ts";
import { sectionOf } from "./sections.ts";

const { bytes: dump } = smallRecording().finish();

/** What is refused, and with which words. */
function complaintOf(bytes: Uint8Array): string {
  try {
    decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DumpError);
    expect((error as DumpError).position).toBeLessThanOrEqual(bytes.length);
    return (error as DumpError).message;
  }
  throw new Error("it was not refused");
}

const facts = {
  plg: 1,
  version: "0",
  host: "h",
  kernel: "k",
  hardware: "x",
  startNs: "1",
  subnets: ["10.0.0.0/30"],
  containers: 1,
  notes: {},
};

/** A header of one container, whose interface has these options. */
function headerOf(
  options: (block: BlockBuilder) => BlockBuilder,
  section: object = facts,
): Uint8Array {
  const block = new BlockBuilder(BlockType.interfaceDescription).u16(1).u16(0).u32(262_144);
  return Buffer.concat([sectionOf(JSON.stringify(section)), options(block).finish()]);
}

const address = (last: number): Uint8Array => Uint8Array.of(10, 0, 0, last, 255, 255, 255, 252);

function named(name: string): (block: BlockBuilder) => BlockBuilder {
  return (block) => block.text(OptionCode.ifName, name).option(OptionCode.ifIPv4addr, address(1));
}

describe("the header", () => {
  test("is refused where a run cannot have been like that", () => {
    const deep = `{"plg":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const cases: [Uint8Array, RegExp][] = [
      // String() of it would have recursed 20,000 times.
      [sectionOf(deep), /its format has no version/],
      [sectionOf(JSON.stringify({ ...facts, plg: "\u001b[2J" })), /its format has no version/],
      // More containers than the subnet has addresses, none of which could be computed.
      [sectionOf(JSON.stringify({ ...facts, containers: 3 })), /invalid container count/],
      [sectionOf(JSON.stringify({ ...facts, containers: 10_000_000 })), /invalid container count/],
      [sectionOf(JSON.stringify({ ...facts, subnets: [] })), /invalid subnets/],
      [sectionOf(JSON.stringify({ ...facts, subnets: ["10.0.0.0/32"] })), /invalid subnets/],
      [sectionOf(JSON.stringify({ ...facts, subnets: ["127.0.0.0/24"] })), /invalid subnets/],
      [
        sectionOf(JSON.stringify({ ...facts, subnets: ["10.0.0.0/24", "10.1.0.0/24"] })),
        /invalid subnets/,
      ],
      [headerOf(named("x y")), /no proper name/],
      [headerOf(named("\u001b[2J")), /no proper name/],
      [headerOf(named("localhost")), /no proper name/],
      [headerOf(named("x".repeat(64))), /no proper name/],
      [headerOf((block) => block.text(OptionCode.ifName, "x")), /does not have its addresses/],
      [
        headerOf((block) =>
          block.text(OptionCode.ifName, "x").option(OptionCode.ifIPv4addr, address(2)),
        ),
        /does not have its addresses/,
      ],
      [
        headerOf((block) => {
          for (let i = 0; i < 3; i++) block.option(OptionCode.comment, Buffer.alloc(65_535, "x"));
          return named("x")(block);
        }),
        /a command is longer than any/,
      ],
    ];
    for (const [bytes, message] of cases) expect(complaintOf(bytes)).toMatch(message);
    expect(decode(headerOf(named("constructor"))).told).toHaveLength(1);
  });

  test("two containers of one name are refused", () => {
    const one = headerOf(named("x"), { ...facts, containers: 2 });
    const interfaceAt = blocksOf(one)[1]?.at ?? 0;
    const two = Buffer.concat([one, one.subarray(interfaceAt)]);
    two.set(Buffer.from([2]), two.indexOf(Buffer.from([10, 0, 0, 1]), one.length) + 3);
    expect(complaintOf(repair(two, "sums"))).toMatch(/two containers have one name/);
  });

  test("a block that claims 4 GB is refused as soon as its length is there", () => {
    const bytes = dump.slice();
    const { at = 0 } = blocksOf(dump)[1] ?? {};
    new DataView(bytes.buffer).setUint32(at + 4, 0xffff_fffc, true);
    expect(complaintOf(bytes.subarray(0, at + 12))).toMatch(/cannot be 4294967292 bytes long/);
  });

  test("what it says of the machine gives the terminal no orders", () => {
    const evil = "\u001b]0;owned\u0007\u009b2J\u202e";
    const about = { ...run, host: evil, kernel: evil, hardware: evil, toolVersion: evil };
    const containers = run.containers.map((one) => ({ ...one, command: `true ${evil}` }));
    const file = smallRecording().finish({ ...about, containers });
    const text = renderRun(summarize(decodedItems(file.bytes)));
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(text).toContain(String.raw`\x1b]0;owned\x07\x9b2J\u202e`);
  });
});

function* decodedItems(bytes: Uint8Array): Generator<DumpItem, DumpEnd> {
  const { items, end } = decode(bytes);
  yield* items;
  return end;
}

/** The dump with one record of this kind changed, and its sums right again. */
function withRecord(
  kind: RecordKind,
  change: (view: DataView, at: number, tail: number) => void,
): Uint8Array {
  const bytes = dump.slice();
  const view = new DataView(bytes.buffer);
  for (const { at, lengthBytes } of blocksOf(bytes)) {
    const tail = at + lengthBytes - recordTailBytes;
    const isRecord = view.getUint32(at, true) === BlockType.enhancedPacket;
    if (!isRecord || view.getUint8(tail + TailAt.kind) !== kind) continue;
    change(view, at, tail);
    return repair(bytes, "sums");
  }
  throw new Error("there is no such record");
}

describe("a record", () => {
  test("is refused where a relay cannot have seen it", () => {
    const cases: [Uint8Array, RegExp][] = [
      [
        withRecord(RecordKind.connect, (view, _, tail) =>
          view.setUint32(tail + TailAt.connection, 0x8000_0000, true),
        ),
        /a connection has a wrong number/,
      ],
      [
        withRecord(RecordKind.data, (view, _, tail) =>
          view.setUint32(tail + TailAt.offsetHigh, 0x20_0000, true),
        ),
        /goes on at byte 9007199254740992 where it should at 0/,
      ],
      [
        withRecord(RecordKind.data, (view, at) => view.setUint32(at + RecordAt.timeHigh, 0, true)),
        /of a time before or long after its run/,
      ],
      [
        withRecord(RecordKind.data, (view, at) =>
          view.setUint32(at + RecordAt.timeHigh, 0xffff_ffff, true),
        ),
        /of a time before or long after its run/,
      ],
      // Behind Ethernet's 14 bytes and the 12 before it: the client's address.
      [
        withRecord(RecordKind.connect, (view, at) =>
          view.setUint32(at + 28 + 14 + 12, 0x7f00_0001),
        ),
        /between addresses that no containers have/,
      ],
    ];
    for (const [bytes, message] of cases) expect(complaintOf(bytes)).toMatch(message);
  });
});

/** Reads the dump with so many zeros behind it, where 8192 are the most. */
function readWithZeros(zeros: number): unknown {
  const reader = new BlockReader("t.dump", 8192);
  reader.push(dump);
  while (reader.next() !== undefined);
  reader.push(new Uint8Array(zeros));
  return reader.next();
}

test("a tail of zeros has an end, however large the file says that it is", () => {
  expect(readWithZeros(8192)).toBeUndefined();
  expect(() => readWithZeros(8196)).toThrow("t.dump is damaged: it ends in too many zeros");
});

/** Numbers that decide what is changed; the same again when a failure is replayed. */
const choices = fc
  .infiniteStream(fc.nat(2 ** 31))
  .map((stream) => (below: number) => (stream.next().value as number) % below);

test("whatever is changed in a dump: all that reads it goes on, or ends in a DumpError", () => {
  const seeds = makeSeeds(7);
  fc.assert(
    fc.property(fc.nat(seeds.length - 1), choices, (which, choose) => {
      readAll(mutate(seeds[which] as Uint8Array, seeds, choose));
    }),
    { numRuns: 500 },
  );
});

test("the fuzzer would notice: a seed is a recording, and what is repaired gets past the sums", () => {
  expect(readAll(dump)).toMatch(/ true true$/);
  const flipped = dump.slice();
  const data = decode(dump).items.find(
    (item) => item.type === "stream" && item.kind === RecordKind.data,
  );
  const at = data?.type === "stream" ? data.payloadPosition : 0;
  flipped[at] = (flipped[at] as number) ^ 1;
  expect(readAll(flipped)).toMatch(/check sum/);
  expect(readAll(repair(flipped, "sums"))).toBe(readAll(dump));
});
