import * as fc from "fast-check";
import { expect, test } from "vitest";
import { asHex, asLine, asText } from "../../../src/report/bytes.ts";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test("text keeps its lines, and what cannot be seen is a dot", () => {
  expect(asText(bytesOf("GET / HTTP/1.1\r\nHost: é\r\n\r\n\u001b[31mred\tx"))).toBe(
    "GET / HTTP/1.1\nHost: é\n\n\u00b7[31mred\tx",
  );
});

test("a line is one line, and cannot turn the direction of writing", () => {
  expect(asLine(bytesOf("*1\r\n$4\nPING\u202e\u0007"))).toBe("*1\u21b5$4\u21b5PING\u00b7\u00b7");
});

test("hexadecimal has 16 bytes a row, each with its offset", () => {
  const bytes = bytesOf("0123456789abcdefXY\u0000");
  expect(asHex(bytes, 100)).toBe(
    [
      "     100  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef",
      `     116  58 59 00${" ".repeat(40)} XY.`,
    ].join("\n"),
  );
  expect(asHex(new Uint8Array(), 0)).toBe("");
});

test("hexadecimal loses no byte", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(1e7), (bytes, offset) => {
      const rows = asHex(bytes, offset).split("\n");
      const digits = rows.map((row) => row.slice(10, 58).replaceAll(" ", "")).join("");
      expect(digits).toBe(Buffer.from(bytes).toString("hex"));
    }),
  );
});
