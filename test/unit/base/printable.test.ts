import * as fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableJson, printableLines } from "../../../src/base/printable.ts";

test("what a terminal would obey, and what nobody would see, is spelled out", () => {
  const cases: [string, string][] = [
    ["plain text, é, 漢字, →, 😀", "plain text, é, 漢字, →, 😀"],
    ["\u001b[2J\u0007", String.raw`\x1b[2J\x07`],
    ["\u009b31m", String.raw`\x9b31m`],
    ["a\nb\r\tc\u007f", String.raw`a\nb\r\tc\x7f`],
    ["rm \u202e fr- \u2066", String.raw`rm \u202e fr- \u2066`],
    ["\u2028\ufeff", String.raw`\u2028\ufeff`],
    ["\ud800", String.raw`\ud800`],
    ["\u{e0001}", String.raw`\u{e0001}`],
  ];
  for (const [text, shown] of cases) expect(printable(text)).toBe(shown);
});

test("lines after the first are set in, so that none looks like a message of its own", () => {
  expect(printableLines("if true\nthen\u001b fi", "    ")).toBe("if true\n    then\\x1b fi");
});

test("JSON for a terminal is the same JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const json = printableJson({ value, text });
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text })));
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});
