import { Direction } from "../../../src/base/direction.ts";
import { expect, test } from "vitest";
import type { Fd } from "../../../src/base/units.ts";
import { writeBlocks } from "../../../src/dump/store/block-writer.ts";
import { completeBlocks } from "../../../src/dump/store/block-completer.ts";
import { completeRecords } from "../../../src/dump/format/checksums.ts";
import { maxChunkBytes } from "../../../src/net/synthetic.ts";
import { createRing, Ring } from "../../../src/dump/store/ring.ts";
import { sumIn } from "../../../src/dump/format/vector-sum.ts";
import { maxBlockBytes, RecordKind } from "../../../src/dump/format/schema.ts";
import { decode, endpoint, ipPacket, pattern, Recording, run } from "./recording.ts";
import { headerBlocks } from "../../../src/dump/format/header.ts";

/**
 * The writer's part, by hand: takes the oldest block as the real one would, and returns its filled
 * length.
 */
function takeBlock(ring: Ring): number {
  const length = ring.lengthOf(ring.freed);
  ring.giveBack();
  return length;
}

test("reserve and packet say no while the ring is full, and yes once a block is free", () => {
  const recording = new Recording(createRing(2, maxBlockBytes));
  const ring = new Ring(recording.ring);
  const stream = recording.connect(4, 1, 0);
  recording.event(stream, RecordKind.accept, Direction.toClient);
  const chunk = pattern(maxChunkBytes, 1);
  let chunks = 0;
  while (recording.data(stream, Direction.toServer, chunk)) chunks++;
  expect(chunks).toBe(2 * 15);
  expect(ring.free).toBe(0);
  expect(recording.packet(0, 1, ipPacket(4, 100))).toBe(false);
  expect(takeBlock(ring)).toBeGreaterThan(15 * maxChunkBytes);
  expect(recording.packet(0, 1, ipPacket(4, 100))).toBe(true);
  expect(recording.data(stream, Direction.toServer, chunk)).toBe(true);
});

test("a flood is received into many chunks at once, as far as the block goes", () => {
  const recording = new Recording(createRing(4, maxBlockBytes));
  for (const family of [4, 6] as const) {
    const stream = recording.connect(family, 1, 0);
    recording.event(stream, RecordKind.accept, Direction.toClient);
    expect(recording.flood(stream, Direction.toServer, 8)).toBe(8 * maxChunkBytes);
    // 15 go into a block, and something stands in it already.
    expect(recording.flood(stream, Direction.toServer, 8)).toBeLessThan(8 * maxChunkBytes);
    expect(recording.flood(stream, Direction.toClient, 3)).toBe(3 * maxChunkBytes);
  }
  const { bytes } = recording.finish();
  expect(decode(bytes).told.slice(0, recording.told.length)).toEqual(recording.told);
});

test("more than was reserved cannot be recorded", () => {
  const recording = new Recording();
  const stream = recording.connect(4, 1, 0);
  recording.event(stream, RecordKind.accept, Direction.toClient);
  recording.sink.reserve(4, 2);
  const commit = (bytes: number): void =>
    recording.sink.commit(stream, Direction.toServer, bytes, 1);
  expect(() => commit(0)).toThrow("bug in plg");
  expect(() => commit(2 * maxChunkBytes + 1)).toThrow("bug in plg");
  commit(2 * maxChunkBytes);
  expect(stream.clientSender.sentBytes).toBe(2 * maxChunkBytes);
});

test("whoever starves is woken by the block that is given back, once", () => {
  const store = createRing(1);
  const ring = new Ring(store);
  ring.wakeup = 42 as Fd;
  expect(ring.freeOrStarve()).toBe(true);
  ring.handOver(100);
  expect(ring.freeOrStarve()).toBe(false);
  expect(ring.giveBack()).toBe(42);
  ring.handOver(100);
  expect(ring.giveBack()).toBeUndefined();
});

test("events that find the ring full are kept, and recorded before anything later", () => {
  const recording = new Recording(createRing(2, maxBlockBytes));
  const ring = new Ring(recording.ring);
  const streams = [4, 6].map((family) => recording.connect(family as 4 | 6, 1, 0));
  for (const stream of streams) recording.event(stream, RecordKind.accept, Direction.toClient);
  const [first, second] = streams;
  if (first === undefined || second === undefined) throw new Error("two streams were made");
  while (recording.data(first, Direction.toServer, pattern(maxChunkBytes, 3)));
  // 20,000 connections while the disk stalls: more than 2 blocks of events.
  for (let i = 0; i < 20_000; i++) {
    recording.atNs += 10;
    recording.event(recording.connect(i % 2 ? 4 : 6, 2, 0), RecordKind.refuse, Direction.toClient);
  }
  recording.event(second, RecordKind.end, Direction.toServer);
  expect(recording.data(first, Direction.toServer, pattern(5, 3))).toBe(false);
  expect(recording.sink.seal()).toBe(false);

  const bytes: Uint8Array[] = headerBlocks(run);
  while (!recording.sink.seal() || ring.free < ring.blocks) bytes.push(takeBytes(ring));
  expect(decode(new Uint8Array(Buffer.concat(bytes))).told).toEqual(recording.told);
}, 60_000);

/** Completes and takes the oldest block. */
function takeBytes(ring: Ring): Uint8Array {
  const start = ring.startOf(ring.freed);
  const end = start + ring.lengthOf(ring.freed);
  completeRecords(
    ring.region,
    start,
    end,
    new Float64Array(3),
    sumIn(ring.memory, ring.region.bytes.byteOffset),
  );
  ring.giveBack();
  return ring.region.bytes.slice(start, end);
}

test("flush hands over what there is, but not while the writer is busy", () => {
  const recording = new Recording(createRing(4));
  const ring = new Ring(recording.ring);
  recording.sink.flush();
  expect(ring.free).toBe(4);
  recording.connect(4, 1, 0);
  recording.sink.flush();
  expect(ring.free).toBe(3);
  recording.connect(4, 1, 0);
  recording.sink.flush();
  expect(ring.free).toBe(3);
  takeBlock(ring);
  recording.sink.flush();
  expect(ring.free).toBe(3);
});

test("nothing is recorded of a connection that is over, and what cannot be is a bug", () => {
  const { sink } = new Recording();
  const stream = sink.connect(4, endpoint(4, 1, 5), endpoint(4, 0, 80), 0);
  expect(() => sink.event(stream, RecordKind.end, Direction.toServer, 1)).toThrow("bug in plg");
  sink.event(stream, RecordKind.refuse, Direction.toClient, 1);
  sink.event(stream, RecordKind.reset, Direction.toServer, 2);
  expect(stream.phase).toBe("over");
  sink.reserve(4, 1);
  expect(() => sink.commit(stream, Direction.toServer, 1, 3)).toThrow("bug in plg");
});

test("a failed writer leaves the ring full and lets the engine end", () => {
  const recording = new Recording(createRing(2, maxBlockBytes));
  recording.connect(4, 1, 0);
  recording.sink.flush();
  const broken = {
    lengthBytes: 0,
    append: () => {
      throw new Error("disk on fire");
    },
  };
  const ring = new Ring(recording.ring);
  ring.close();
  completeBlocks(ring, new Float64Array(3));
  expect(() => writeBlocks(ring, broken)).toThrow("on fire");
  expect(recording.sink.failed).toBe(true);
  expect(recording.sink.seal()).toBe(true);
});
