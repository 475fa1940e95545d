import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allocateRegion } from "../../../src/sys/memory.ts";
import { mostPieces, Pieces } from "../../../src/sys/pieces.ts";

const region = allocateRegion(4096);
region.bytes.forEach((_, at, bytes) => (bytes[at] = (at * 7 + (at >> 8)) & 0xff));

test("a copy is of the pieces one behind the other, without what lies between", () => {
  const layout = fc.record({
    at: fc.nat(100),
    pieceBytes: fc.integer({ min: 1, max: 200 }),
    gapBytes: fc.nat(200),
    count: fc.integer({ min: 1, max: mostPieces }),
    cut: fc.tuple(fc.nat(), fc.nat()),
  });
  fc.assert(
    fc.property(layout, ({ at, pieceBytes, gapBytes, count, cut }) => {
      const pieces = new Pieces(region);
      pieces.layOut(at, pieceBytes, pieceBytes + gapBytes, count);
      expect(pieces.capacityBytes).toBe(count * pieceBytes);
      const whole = Array.from({ length: count }, (_, i) => {
        const start = at + i * (pieceBytes + gapBytes);
        return [...region.bytes.subarray(start, start + pieceBytes)];
      }).flat();
      const [from = 0, to = 0] = cut.map((n) => n % (whole.length + 1)).toSorted((a, b) => a - b);
      const out = new Uint8Array(to - from);
      pieces.copyTo(out, from, to);
      expect([...out]).toEqual(whole.slice(from, to));
    }),
  );
});
