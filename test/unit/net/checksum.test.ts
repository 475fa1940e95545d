import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complement, fold, pseudoHeaderSum, sum } from "../../../src/net/checksum.ts";
import { partialSynV4, partialSynV6, synV4, synV6 } from "./known-packets.ts";
import { bytesOfLength, fromHex, naiveSum, word } from "./naive.ts";

describe("sum", () => {
  it("gives the example of RFC 1071 section 3", () => {
    const data = fromHex("0001f203f4f5f6f7");
    expect(sum(data, 0, 8)).toBe(0x2ddf0);
    expect(fold(sum(data, 0, 8))).toBe(0xddf2);
    expect(complement(sum(data, 0, 8))).toBe(0x220d);
  });

  it("agrees with the naive twin for every length and alignment", () => {
    const data = Uint8Array.from({ length: 160 }, (_, i) => (i * 167 + 211) & 0xff);
    for (let at = 0; at < 16; at++) {
      for (let length = 0; length <= 140; length++) {
        expect(fold(sum(data, at, length)), `${length} bytes at ${at}`).toBe(
          naiveSum(data.subarray(at, at + length)),
        );
      }
    }
  });

  it("agrees with the naive twin for any bytes, and adds to what came before", () => {
    const cases = fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 9 }));
    const sized = cases.chain(([n, at]) => fc.tuple(bytesOfLength(n + at + 3), fc.constant(at)));
    fc.assert(
      fc.property(sized, fc.nat(0xffff_ffff), ([data, at], initial) => {
        const length = data.length - at - 3;
        const initialBytes = new Uint8Array(4);
        new DataView(initialBytes.buffer).setUint32(0, initial);
        const expected = naiveSum(initialBytes, data.subarray(at, at + length));
        expect(fold(sum(data, at, length, initial))).toBe(expected);
      }),
    );
  });

  it("does not overflow on the longest packet of the largest bytes, nor far beyond", () => {
    for (const length of [65_535, 65_536, (1 << 20) + 1]) {
      const data = new Uint8Array(length).fill(0xff);
      expect(sum(data, 0, length)).toBe((length >>> 1) * 0xffff + (length & 1) * 0xff00);
      expect(fold(sum(data, 0, length))).toBe(naiveSum(data));
    }
  });

  it("can be taken in pieces of even length", () => {
    fc.assert(
      fc.property(bytesOfLength(64), fc.integer({ min: 0, max: 32 }), (data, half) => {
        const pieces = sum(data, 2 * half, 64 - 2 * half, sum(data, 0, 2 * half));
        expect(pieces).toBe(sum(data, 0, 64));
      }),
    );
  });
});

describe("fold", () => {
  it("is the remainder by 0xffff, and 0 only for 0", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(fold(value)).toBe(value === 0 ? 0 : ((value - 1) % 0xffff) + 1);
      }),
    );
  });

  it("holds at the edges", () => {
    const edges = [0, 1, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_ffff];
    expect(edges.map(fold)).toEqual([0, 1, 0xffff, 1, 0xffff, 1, 1]);
    expect(fold(Number.MAX_SAFE_INTEGER)).toBe(0x1f);
  });
});

describe("pseudoHeaderSum", () => {
  it("is what Linux stores as a partial checksum", () => {
    expect(fold(pseudoHeaderSum(partialSynV4, 12, 4, 6, 40))).toBe(word(partialSynV4, 36));
    expect(fold(pseudoHeaderSum(partialSynV6, 8, 16, 6, 40))).toBe(word(partialSynV6, 56));
  });

  it("makes the segments that Linux sent with full checksums sum up to zero", () => {
    expect(complement(sum(synV4, 20, 40, pseudoHeaderSum(synV4, 12, 4, 6, 40)))).toBe(0);
    expect(complement(sum(synV6, 40, 40, pseudoHeaderSum(synV6, 8, 16, 6, 40)))).toBe(0);
  });
});
