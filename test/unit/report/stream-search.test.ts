import * as fc from "fast-check";
import { expect, test } from "vitest";
import { StreamSearch } from "../../../src/report/stream-search.ts";

function search(pattern: RegExp, pieces: readonly string[]): number[] {
  const found = new StreamSearch(pattern);
  return pieces.flatMap((piece) => found.push(Buffer.from(piece, "latin1")));
}

test("a text is found wherever the stream is cut", () => {
  const letters = fc.constantFrom("a", "b", "c");
  const word = fc.array(letters, { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
  fc.assert(
    fc.property(
      word,
      fc.array(fc.string({ unit: letters }), { maxLength: 30 }),
      (wanted, pieces) => {
        const expected = [...pieces.join("").matchAll(new RegExp(wanted, "g"))];
        expect(search(new RegExp(wanted), pieces)).toEqual(expected.map(({ index }) => index));
      },
    ),
  );
});

test("a match that is far behind is found once", () => {
  const long = "x".repeat(3000);
  expect(search(/needle/u, ["a nee", "dle", long, long, "and a needle", long])).toEqual([2, 6014]);
});

test("a pattern that matches nothing at all comes to an end", () => {
  expect(search(/x*/, ["aa", "a"]).length).toBeLessThan(10);
});
