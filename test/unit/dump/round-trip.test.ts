import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { maxChunkBytes } from "../../../src/net/synthetic.ts";
import { TCP_SYN } from "../../../src/net/packet.ts";
import { BlockType } from "../../../src/dump/format/pcapng.ts";
import {
  ethernetHeaderBytes,
  maxPacketBytes,
  recordHeaderBytes,
  RecordKind,
} from "../../../src/dump/format/schema.ts";
import {
  decode,
  ipPacket,
  pattern,
  perform,
  Recording,
  smallRecording,
  step,
} from "./recording.ts";

test("whatever is recorded is read back, in order", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 9000 }),
      (steps, piece) => {
        const recording = new Recording();
        for (const next of steps) perform(recording, next);
        const { bytes } = recording.finish();
        const { told, end } = decode(bytes);
        expect(told).toEqual(recording.told);
        expect(end).toEqual({ complete: true, tornAt: undefined });
        expect(decode(bytes, piece).told).toEqual(told);
      },
    ),
    { numRuns: 60 },
  );
});

test("the decoder says the same fed whole and byte by byte", () => {
  const { bytes } = smallRecording().finish();
  const [slow, fast] = [decode(bytes, 1), decode(bytes)];
  expect(slow.told).toEqual(fast.told);
  expect(slow.end).toEqual(fast.end);
});

test("every write ends at a multiple of 4096 and leaves a dump that can be read", () => {
  const file = smallRecording().finish();
  let length = 0;
  for (const write of file.writes) {
    length += write.length;
    expect(length % 4096).toBe(0);
    expect(decode(file.bytes.subarray(0, length)).end.tornAt).toBeUndefined();
  }
  expect(file.writes).toHaveLength(3);
});

test("the longest chunk and the longest packet fit", () => {
  for (const family of [4, 6] as const) {
    const recording = new Recording();
    const stream = recording.connect(family, 1, 0);
    recording.event(stream, RecordKind.accept, Direction.toClient);
    for (let i = 0; i < 40; i++) {
      recording.atNs += 2 ** 31;
      expect(recording.data(stream, Direction.toServer, pattern(maxChunkBytes, i))).toBe(true);
    }
    expect(recording.packet(0, 1, ipPacket(family, maxPacketBytes))).toBe(true);
    const { bytes } = recording.finish();
    expect(decode(bytes).told).toEqual(recording.told);
  }
});

test("connections with the same addresses and ports have initial sequence numbers of their own", () => {
  const recording = new Recording();
  const count = 100;
  for (let i = 0; i < count; i++) {
    const stream = recording.connect(4, 1, 0);
    recording.event(stream, RecordKind.accept, Direction.toClient);
    recording.event(stream, RecordKind.reset, Direction.toClient);
  }
  const { bytes } = recording.finish();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const initials: number[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) !== BlockType.enhancedPacket) continue;
    const tcpAt = at + recordHeaderBytes + ethernetHeaderBytes + 20;
    const isSyn = (view.getUint8(tcpAt + 13) & TCP_SYN) !== 0;
    if (isSyn) initials.push(view.getUint32(tcpAt + 4));
  }
  expect(initials).toHaveLength(2 * count);
  expect(new Set(initials).size).toBe(2 * count);
});

test("sequence numbers wrap, stream offsets do not", () => {
  const recording = new Recording();
  const stream = recording.connect(4, 1, 0);
  recording.event(stream, RecordKind.accept, Direction.toClient);
  // As if 5 GB had gone before.
  stream.clientSender.sentBytes = 5e9;
  recording.data(stream, Direction.toServer, Buffer.from("x"));
  const { bytes } = recording.finish();
  // The payload and its padding, and behind them our option.
  const at = Buffer.from(bytes).indexOf("x\0\x4c\xd0", 0, "latin1");
  const view = new DataView(bytes.buffer);
  const initial = 0x9e37_79b1;
  expect(view.getUint32(at - 16)).toBe((initial + 1 + 5e9) % 2 ** 32);
  // The decoder, which has seen none of them, refuses the jump.
  expect(() => decode(bytes)).toThrow(
    "connection 1 goes on at byte 5000000000 where it should at 0",
  );
});

test("items tell where in the file their bytes lie", () => {
  const { bytes } = smallRecording().finish();
  for (const item of decode(bytes).items) {
    if (item.type !== "stream") continue;
    const { payload, payloadPosition } = item;
    const there = bytes.subarray(payloadPosition, payloadPosition + payload.length);
    expect(there).toEqual(payload);
  }
});
