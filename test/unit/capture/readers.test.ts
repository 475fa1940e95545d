import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type CapturedPacket, CaptureProblem } from "../../../src/capture/read/packet.ts";
import { CaptureReader } from "../../../src/capture/read/reader.ts";
import { type Frame, pcapFile, PcapngFile } from "./packets.ts";

interface ReadPacket {
  readonly atNs: bigint;
  readonly bytes: string;
  readonly originalBytes: number;
  readonly interfaceIndex: number;
}

/** Reads a file in pieces. */
function read(file: Uint8Array, pieceBytes: number): ReadPacket[] {
  const reader = new CaptureReader();
  const packets: ReadPacket[] = [];
  for (let at = 0; at < file.length; at += pieceBytes) {
    reader.push(file.subarray(at, at + pieceBytes));
    for (let packet = reader.next(); packet !== undefined; packet = reader.next())
      packets.push(copied(packet));
  }
  expect(reader.end().problem).toBeUndefined();
  return packets;
}

function copied(packet: CapturedPacket): ReadPacket {
  const { seconds, nanoseconds, bytes, at, capturedBytes } = packet;
  return {
    atNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    bytes: Buffer.from(bytes.subarray(at, at + capturedBytes)).toString("hex"),
    originalBytes: packet.originalBytes,
    interfaceIndex: packet.interfaceIndex,
  };
}

const frame: fc.Arbitrary<Frame> = fc.record({
  bytes: fc.uint8Array({ maxLength: 300 }),
  atNs: fc.bigInt({ min: 0n, max: (1n << 32n) * 1_000_000_000n - 1n }),
});

test("classic pcap is read in both byte orders and resolutions, in whatever pieces it comes", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 20 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 10, max: 400 }),
      (frames, littleEndian, nanoseconds, pieceBytes, snapBytes) => {
        const file = pcapFile(frames, { littleEndian, nanoseconds, snapBytes });
        const told = frames.map(({ bytes, atNs }) => ({
          atNs: nanoseconds ? atNs : (atNs / 1000n) * 1000n,
          bytes: Buffer.from(bytes.subarray(0, snapBytes)).toString("hex"),
          originalBytes: bytes.length,
          interfaceIndex: 0,
        }));
        expect(read(file, pieceBytes)).toEqual(told);
      },
    ),
  );
});

/** A resolution, as the option has it, and what one unit is. */
const resolution = fc.oneof(
  fc
    .integer({ min: 0, max: 9 })
    .map((digits) => ({ option: digits, perSecond: 10n ** BigInt(digits) })),
  fc
    .integer({ min: 0, max: 30 })
    .map((bits) => ({ option: 0x80 | bits, perSecond: 2n ** BigInt(bits) })),
);

test("pcapng is read in both byte orders and any resolution, with several sections and interfaces", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(frame, fc.nat(1)), { maxLength: 20 }),
      fc.tuple(resolution, resolution),
      fc.tuple(fc.boolean(), fc.boolean()),
      fc.integer({ min: 1, max: 500 }),
      (frames, resolutions, orders, pieceBytes) => {
        const [first, second] = orders.map((littleEndian) => {
          const file = new PcapngFile(littleEndian);
          for (const { option } of resolutions)
            file.interface(1, [{ code: 9, value: Uint8Array.of(option) }]);
          file.unknown(0x80504c47, Buffer.from("something else"));
          for (const [{ bytes, atNs }, index] of frames)
            file.packet(index, unitsOf(atNs, resolutions[index]?.perSecond ?? 1n), bytes);
          return file;
        });
        const told = [0, 2].flatMap((earlier) =>
          frames.map(([{ bytes, atNs }, index]) => {
            const perSecond = resolutions[index]?.perSecond ?? 1n;
            return {
              atNs: (unitsOf(atNs, perSecond) * 1_000_000_000n) / perSecond,
              bytes: Buffer.from(bytes).toString("hex"),
              originalBytes: bytes.length,
              interfaceIndex: earlier + index,
            };
          }),
        );
        const file = (first as PcapngFile).section(second as PcapngFile);
        expect(read(file.bytes, pieceBytes)).toEqual(told);
      },
    ),
  );
});

function unitsOf(atNs: bigint, perSecond: bigint): bigint {
  return (atNs * perSecond) / 1_000_000_000n;
}

test("times that no clock shows become the last one there is", () => {
  const file = new PcapngFile().interface(1, [{ code: 9, value: Uint8Array.of(0) }]);
  for (const units of [7n, 1n << 62n, 2n ** 64n - 1n]) file.packet(0, units, Buffer.from("x"));
  const seconds = read(file.bytes, 1000).map(({ atNs }) => atNs / 1_000_000_000n);
  expect(seconds).toEqual([7n, 9_223_372_035n, 9_223_372_035n]);
});

test("names and keys are passed on", () => {
  const notes: unknown[] = [];
  const reader = new CaptureReader((note) => notes.push(note));
  const file = new PcapngFile(false)
    .name(Uint8Array.of(10, 0, 0, 1), "db.example")
    .tlsKeys("KEY 1");
  reader.push(file.bytes);
  expect(reader.next()).toBeUndefined();
  expect(notes).toEqual([
    { type: "name", address: Uint8Array.of(10, 0, 0, 1), name: "db.example" },
    { type: "tlsKeys", text: new Uint8Array(Buffer.from("KEY 1")) },
  ]);
});

test("a file that is no capture is refused, whatever its length, and says what it is if that is known", () => {
  const cases: [Uint8Array, RegExp][] = [
    [Buffer.alloc(0), /empty/],
    [Buffer.from("ab"), /no capture file/],
    [Buffer.from("This is not a capture."), /no capture file/],
    [Buffer.from("28b52ffd00000000", "hex"), /zstd/],
    [Buffer.from("snoop\0\0\0"), /snoop/],
  ];
  for (const [bytes, message] of cases) {
    const reader = new CaptureReader();
    const work = (): void => {
      reader.push(bytes);
      reader.next();
      reader.end();
    };
    expect(work).toThrow(CaptureProblem);
    expect(work).toThrow(message);
  }
});

test("a capture that is cut off, or damaged, is read up to there", () => {
  const frames = [1, 2, 3].map((n) => ({ bytes: Buffer.alloc(60, n), atNs: BigInt(n) }));
  for (const file of [
    pcapFile(frames),
    new PcapngFile().interface(1).packet(0, 1n, Buffer.alloc(60)).packet(0, 2n, Buffer.alloc(60))
      .bytes,
  ]) {
    const whole = read(file, 7).length;
    const reader = new CaptureReader();
    reader.push(file.subarray(0, file.length - 5));
    let count = 0;
    while (reader.next() !== undefined) count++;
    expect(count).toBe(whole - 1);
    expect(reader.end().problem?.what).toMatch(/middle of a packet/);
  }
  const damaged = pcapFile(frames);
  damaged.writeUInt32LE(0x7fffffff, 24 + 76 + 8);
  const reader = new CaptureReader();
  reader.push(damaged);
  expect(reader.next()).toBeDefined();
  expect(reader.next()).toBeUndefined();
  expect(reader.end().problem).toEqual({
    position: 100,
    what: "a packet claims to be 2147483647 bytes long",
  });
});

test("random bytes behind a good beginning never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, isPcapng) => {
      const beginning = isPcapng ? new PcapngFile().interface(1).bytes : pcapFile([]);
      const reader = new CaptureReader();
      reader.push(Buffer.concat([beginning, bytes]));
      while (reader.next() !== undefined);
      reader.end();
    }),
  );
});
