import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { crc32Range } from "../../../src/dump/format/crc32.ts";

test("is the CRC-32 of zlib, for every length and seed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(0xffffffff), (bytes, seed) => {
      expect(crc32Range(bytes, 0, bytes.length)).toBe(crc32(bytes));
      expect(crc32Range(bytes, 0, bytes.length, seed)).toBe(crc32(bytes, seed));
    }),
  );
});

test("sums a range as if it stood alone, and goes on from a sum", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, at) => at * 7);
  const whole = crc32Range(bytes, 3, 90);
  expect(whole).toBe(crc32(bytes.subarray(3, 90)));
  expect(crc32Range(bytes, 41, 90, crc32Range(bytes, 3, 41))).toBe(whole);
});

test("gives the check value of the catalogues", () => {
  expect(crc32Range(new TextEncoder().encode("123456789"), 0, 9)).toBe(0xcbf43926);
});
