// The filter programs, run by an interpreter of classic BPF, against what they are to say in plain
// words.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareReset, connectionChange, everything, opcodes } from "../../../src/net/bpf.ts";

/**
 * What the kernel's interpreter would return (Documentation/networking/filter.rst): 0 when it reads
 * past the end.
 */
function run(program: Uint8Array, packet: Uint8Array): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  let [accumulator, index] = [0, 0];
  for (let at = 0; at < program.length; at += 8) {
    const value = view.getUint32(at + 4, true);
    const jump = (holds: boolean): void => {
      at += 8 * view.getUint8(at + (holds ? 2 : 3));
    };
    const load = (from: number): number | undefined => packet[from];
    switch (view.getUint16(at, true)) {
      case opcodes.loadHalf: {
        const [high, low] = [load(value), load(value + 1)];
        if (high === undefined || low === undefined) return 0;
        accumulator = 256 * high + low;
        break;
      }
      case opcodes.loadByte:
      case opcodes.loadByteIndexed: {
        const isIndexed = view.getUint16(at, true) === opcodes.loadByteIndexed;
        const byte = load(value + (isIndexed ? index : 0));
        if (byte === undefined) return 0;
        accumulator = byte;
        break;
      }
      case opcodes.indexHeaderLength: {
        const byte = load(value);
        if (byte === undefined) return 0;
        index = 4 * (byte & 0xf);
        break;
      }
      case opcodes.and:
        accumulator &= value;
        break;
      case opcodes.ifEqual:
        jump(accumulator === value);
        break;
      case opcodes.ifAnySet:
        jump((accumulator & value) !== 0);
        break;
      case opcodes.return:
        return value;
      default:
        throw new Error(`no such instruction at ${at}`);
    }
  }
  throw new Error("the program ran past its end");
}

interface Frame {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly headerWords: number;
  readonly fragmentOffset: number;
  readonly flags: number;
}

function frameBytes({ family, protocol, headerWords, fragmentOffset, flags }: Frame): Uint8Array {
  const headerBytes = family === 4 ? 4 * headerWords : 40;
  const bytes = new Uint8Array(14 + headerBytes + 20);
  bytes.set(family === 4 ? [0x08, 0x00] : [0x86, 0xdd], 12);
  if (family === 4) {
    bytes.set([0x40 | headerWords, 0, 0, 0, 0, 0, fragmentOffset >> 8, fragmentOffset & 0xff], 14);
    bytes[14 + 9] = protocol;
  } else {
    bytes[14] = 0x60;
    bytes[14 + 6] = protocol;
  }
  bytes[14 + headerBytes + 13] = flags;
  return bytes;
}

interface Flags {
  readonly isSyn: boolean;
  readonly isReset: boolean;
  readonly isAcknowledged: boolean;
}

/** The flags of a frame that has some. */
function flagsOf({ family, protocol, fragmentOffset, flags }: Frame): Flags | undefined {
  if (protocol !== 6 || (family === 4 && fragmentOffset !== 0)) return undefined;
  return {
    isSyn: (flags & 0x02) !== 0,
    isReset: (flags & 0x04) !== 0,
    isAcknowledged: (flags & 0x10) !== 0,
  };
}

function changesConnection(flags: Flags | undefined): boolean {
  return flags !== undefined && (flags.isReset || (flags.isSyn && !flags.isAcknowledged));
}

function isBareReset(flags: Flags | undefined): boolean {
  return flags !== undefined && flags.isReset && !flags.isAcknowledged;
}

const frames: fc.Arbitrary<Frame> = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  protocol: fc.oneof(
    { weight: 4, arbitrary: fc.constant(6) },
    { arbitrary: fc.nat(255), weight: 1 },
  ),
  headerWords: fc.integer({ min: 5, max: 15 }),
  fragmentOffset: fc.oneof(fc.constant(0), fc.nat(0x1fff)),
  flags: fc.nat(255),
});

describe("bareReset", () => {
  it("finds a RST without ACK, and nothing else", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(run(bareReset, frameBytes(frame)) !== 0).toBe(isBareReset(flagsOf(frame)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("connectionChange", () => {
  it("finds a SYN without ACK and any RST, and nothing else", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const found = run(connectionChange, frameBytes(frame)) !== 0;
        expect(found).toBe(changesConnection(flagsOf(frame)));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["SYN", 0x02, true],
    ["SYN ECE CWR", 0xc2, true],
    ["SYN ACK", 0x12, false],
    ["ACK", 0x10, false],
    ["FIN ACK", 0x11, false],
    ["RST", 0x04, true],
    ["RST ACK", 0x14, true],
  ])("%s: %#", (_, flags, found) => {
    for (const family of [4, 6] as const) {
      const frame = { family, protocol: 6, headerWords: 5, fragmentOffset: 0, flags };
      expect(run(connectionChange, frameBytes(frame)) !== 0).toBe(found);
    }
  });

  it("lets pass what is not IP, and what is cut short", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        bytes.set(
          [0x08, 0x06].slice(0, Math.max(0, bytes.length - 12)),
          Math.min(12, bytes.length),
        );
        expect(run(connectionChange, bytes)).toBe(0);
        expect(run(bareReset, bytes)).toBe(0);
      }),
    );
  });
});

describe("everything", () => {
  it("finds any packet", () => {
    expect(run(everything, new Uint8Array(60))).not.toBe(0);
  });
});
