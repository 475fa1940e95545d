import * as fc from "fast-check";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { sumBytes, sumWords } from "../../../src/dump/format/data-sum.ts";
import { createSummableMemory, sumIn } from "../../../src/dump/format/vector-sum.ts";

/** As docs/dump-format.md says it, word by word. */
function naive(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const results = new DataView(new ArrayBuffer(32));
  for (let i = 0; 4 * i < bytes.length; i++) {
    const at = 4 * (i % 4);
    const sum = (results.getUint32(at, true) + view.getUint32(4 * i, true)) % 2 ** 32;
    const sumOfSums = (results.getUint32(at + 16, true) + sum) % 2 ** 32;
    results.setUint32(at, sum, true);
    results.setUint32(at + 16, sumOfSums, true);
  }
  return crc32(new Uint8Array(results.buffer));
}

const wholeWords = fc
  .tuple(fc.nat(70), fc.nat(3))
  .chain(([words, offset]) =>
    fc
      .uint8Array({ minLength: 4 * words + offset, maxLength: 4 * words + offset })
      .map((bytes) => bytes.subarray(offset)),
  );

test("agrees with its naive twin, for every length and alignment", () => {
  fc.assert(
    fc.property(wholeWords, (bytes) => {
      expect(sumBytes(bytes, 0, bytes.length)).toBe(naive(bytes));
    }),
    { numRuns: 500 },
  );
});

test("does not mind a Buffer, whose slice is no copy", () => {
  const buffer = Buffer.from(Uint8Array.from({ length: 41 }, (_, i) => i * 7));
  expect(sumBytes(buffer, 1, 41)).toBe(naive(new Uint8Array(buffer.subarray(1))));
});

test("is the same by vector instructions, wherever in the memory, and time after time", () => {
  const memory = createSummableMemory(1100);
  const base = 32;
  const sum = sumIn(memory, base);
  const bytes = new Uint8Array(memory.buffer);
  fc.assert(
    fc.property(wholeWords, fc.nat(30), (data, words) => {
      bytes.set(data, base + 4 * words);
      expect(sum(4 * words, 4 * words + data.length)).toBe(naive(data));
    }),
    { numRuns: 500 },
  );
});

test("has room behind the memory that was asked for, also where that fills its pages", () => {
  const memory = createSummableMemory(0x1_0000);
  const words = new Int32Array(memory.buffer, 0, 0x4000).fill(-3);
  expect(sumIn(memory, 0)(0, 0x1_0000)).toBe(sumWords(words, 0, 0x4000));
  expect(words.every((word) => word === -3)).toBe(true);
});

test("sums the part that it is told to", () => {
  const words = Int32Array.from({ length: 40 }, (_, i) => Math.imul(i, 0x9e37_79b1));
  const bytes = new Uint8Array(words.buffer);
  expect(sumWords(words, 3, 30)).toBe(naive(bytes.subarray(12, 120)));
  expect(sumBytes(bytes, 12, 120)).toBe(naive(bytes.subarray(12, 120)));
});

test("finds a changed byte, a zeroed stretch, and words that changed places", () => {
  const data = fc.uint8Array({ minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(data, fc.nat(63), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
      const before = sumBytes(bytes, 0, 64);
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ change;
      expect(sumBytes(changed, 0, 64)).not.toBe(before);
    }),
  );
  const constant = new Uint8Array(8192).fill(0x61);
  const zeroed = constant.slice().fill(0, 4096);
  expect(sumBytes(zeroed, 0, 8192)).not.toBe(sumBytes(constant, 0, 8192));
  const words = Int32Array.from({ length: 32 }, (_, i) => i + 1);
  const sum = sumWords(words, 0, 32);
  for (let i = 0; i < 32; i++)
    for (let k = 0; k < i; k++) {
      const swapped = words.slice();
      [swapped[i], swapped[k]] = [words[k] as number, words[i] as number];
      expect(sumWords(swapped, 0, 32)).not.toBe(sum);
    }
});
