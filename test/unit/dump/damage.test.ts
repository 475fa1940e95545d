import { expect, test } from "vitest";
import { DumpError } from "../../../src/base/errors.ts";
import { BlockBuilder, BlockType, byteOrderMagic } from "../../../src/dump/format/pcapng.ts";
import { decode, smallRecording, type Told } from "./recording.ts";
import { sectionOf } from "./sections.ts";

const { bytes: dump } = smallRecording().finish();
const whole = decode(dump).told.map(asText);
/** The first write is the header. */
const headerBytes = 4096;

/** Items as text: compared many thousand times. */
function asText(told: Told): string {
  return JSON.stringify(told, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
}

/**
 * The items and the torn tail of `bytes`, or the DumpError; anything else that is thrown fails the
 * test.
 */
function outcomeOf(bytes: Uint8Array): { told: string[]; tornAt: number | undefined } | DumpError {
  try {
    const { told, end } = decode(bytes);
    return { told: told.map(asText), tornAt: end.tornAt };
  } catch (error) {
    if (error instanceof DumpError) return error;
    throw error;
  }
}

function expectPrefix(told: string[]): void {
  if (!told.every((text, i) => text === whole[i]))
    expect(told).toEqual(whole.slice(0, told.length));
}

test("a dump that is cut anywhere yields its whole items and tells where it is torn", () => {
  let before = 0;
  for (let length = 0; length < dump.length; length++) {
    const outcome = outcomeOf(dump.subarray(0, length));
    if (outcome instanceof DumpError) {
      expect(length).toBeLessThan(headerBytes);
      expect(outcome.message).toMatch(/is empty|ends within its header/);
      continue;
    }
    expectPrefix(outcome.told);
    expect(outcome.told.length).toBeGreaterThanOrEqual(before);
    before = outcome.told.length;
    expect(outcome.tornAt ?? length).toBeLessThanOrEqual(length);
  }
  expect(before).toBe(whole.length);
});

test("a tail of zeros is torn off, wherever on a 32-bit boundary it begins", () => {
  for (let length = headerBytes; length < dump.length; length += 4) {
    for (const zeros of [4, 4096]) {
      const bytes = new Uint8Array(length + zeros);
      bytes.set(dump.subarray(0, length));
      const outcome = outcomeOf(bytes) as { told: string[]; tornAt: number };
      expect(outcome).not.toBeInstanceOf(DumpError);
      expectPrefix(outcome.told);
      // Padding may be cut where only zeros were: then all of it is there.
      expect(outcome.tornAt).toBeLessThanOrEqual(length);
    }
  }
});

test("a flipped byte is refused with its place, or changes nothing", () => {
  let refused = 0;
  for (let at = 0; at < dump.length; at++) {
    // One bit here, any bits there.
    const mask = at % 2 === 0 ? 1 << (at % 7) : ((at * 37) % 255) + 1;
    const bytes = dump.slice();
    bytes[at] = (bytes[at] as number) ^ mask;
    const outcome = outcomeOf(bytes);
    if (outcome instanceof DumpError) {
      if (outcome.position > at) expect(outcome.position).toBeLessThanOrEqual(at);
      refused++;
      continue;
    }
    expectPrefix(outcome.told);
    if (outcome.tornAt === undefined) expect(outcome.told).toHaveLength(whole.length);
  }
  expect(refused).toBeGreaterThan(0);
});

test("no byte of a record can be flipped unseen", () => {
  const first = decode(dump).items.findIndex((item) => item.type === "stream");
  const items = decode(dump).items.slice(first, first + 6);
  const positions = items.map((item) => (item.type === "stream" ? item.position : 0));
  const [from, to] = [positions[0] as number, positions[5] as number];
  const unseen: number[] = [];
  for (let at = from; at < to; at++) {
    const bytes = dump.slice();
    bytes[at] = (bytes[at] as number) ^ 0x10;
    if (!(outcomeOf(bytes) instanceof DumpError)) unseen.push(at);
  }
  expect(unseen).toEqual([]);
});

test("a record that is missing, doubled or moved is noticed", () => {
  const records = decode(dump).items.filter((item) => item.type === "stream");
  const [accept, data] = [records[1]?.position as number, records[2]?.position as number];
  const next = records[3]?.position as number;
  const join = (...ranges: [number, number][]): Uint8Array =>
    new Uint8Array(Buffer.concat(ranges.map(([from, to]) => dump.subarray(from, to))));
  const variants = [
    join([0, accept], [data, next]),
    join([0, next], [data, next]),
    join([0, accept], [data, next], [accept, data]),
    join([0, accept], [accept, data], [accept, data]),
  ];
  for (const bytes of variants) expect(outcomeOf(bytes)).toBeInstanceOf(DumpError);
});

/** Little-endian words. */
function le(...words: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

test("what is not a dump is called what it is", () => {
  const foreign = new BlockBuilder(BlockType.sectionHeader).u32(byteOrderMagic).u16(1).u16(0);
  const foreignBytes = foreign.u64(-1n).finish().slice(0, 28);
  new DataView(foreignBytes.buffer).setUint32(4, 28, true);
  new DataView(foreignBytes.buffer).setUint32(24, 28, true);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "t.dump is empty: it holds no recording (at byte 0)"],
    [new Uint8Array(5000), "t.dump is not a plg dump: it is no capture file (at byte 0)"],
    [Buffer.from("#!/bin/sh\n"), "t.dump is not a plg dump: it is no capture file (at byte 0)"],
    [Buffer.from("hi"), "t.dump is not a plg dump: it is no capture file (at byte 0)"],
    [le(0xa1b2c3d4, 0x40002, 0, 0, 65535, 1), "it is a classic pcap file"],
    [le(0xa1b23c4d, 0x40002, 0, 0, 65535, 1), "it is a classic pcap file"],
    [le(0x0a0d0d0a, 0x1c000000, 0x4d3c2b1a, 0x100), "it is a big-endian pcapng file"],
    [foreignBytes, "it is a pcapng file of another program"],
    [dump.subarray(0, 2), "ends within its header"],
    [Buffer.concat([dump, dump]), "a second recording begins: two dumps were joined"],
  ];
  for (const [bytes, message] of cases) {
    expect(() => decode(bytes)).toThrow(message);
    expect(() => decode(bytes, 1)).toThrow(message);
  }
});

test("the facts of the run are checked", () => {
  const good = {
    plg: 1,
    version: "0",
    host: "h",
    kernel: "k",
    hardware: "x",
    startNs: "1",
    subnets: ["10.0.0.0/24"],
    containers: 0,
    notes: {},
  };
  expect(decode(sectionOf(JSON.stringify(good))).told).toHaveLength(1);
  const bad: [string, string][] = [
    ["", "not a JSON object"],
    ["[]", "not a JSON object"],
    ["{", "not a JSON object"],
    ["null", "not a JSON object"],
    ["[".repeat(60_000), "not a JSON object"],
    [JSON.stringify({ ...good, plg: 3 }), "has version 3, and this plg reads 1 to 2"],
    [JSON.stringify({ ...good, plg: undefined }), "its format has no version"],
    [JSON.stringify({ ...good, host: 7 }), "a text is missing"],
    [JSON.stringify({ ...good, startNs: "-1" }), "invalid start time"],
    [JSON.stringify({ ...good, startNs: 1 }), "invalid start time"],
    [JSON.stringify({ ...good, subnets: ["10.0.0.0/33"] }), "invalid subnets"],
    [JSON.stringify({ ...good, subnets: "10.0.0.0/24" }), "invalid subnets"],
    [JSON.stringify({ ...good, plg: 1, subnets: [] }), "invalid subnets"],
    [JSON.stringify({ ...good, containers: 1e9 }), "invalid container count"],
    [JSON.stringify({ ...good, containers: -1 }), "invalid container count"],
    [JSON.stringify({ ...good, notes: { a: {} } }), "invalid notes: not plain values"],
  ];
  for (const [comment, message] of bad) {
    expect(() => decode(sectionOf(comment)), comment.slice(0, 80)).toThrow(message);
  }
});

test("random bytes after a good beginning end in a DumpError or a torn tail, never in anything else", () => {
  let seed = 12345;
  const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  for (let round = 0; round < 300; round++) {
    const bytes = dump.slice();
    const from = random() % bytes.length;
    for (let at = from; at < Math.min(bytes.length, from + 1 + (random() % 200)); at++)
      bytes[at] = random();
    outcomeOf(bytes);
  }
});
