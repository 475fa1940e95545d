import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineCutter } from "../../../src/sandbox/processes/lines.ts";

function cut(chunks: Iterable<Uint8Array>): string[] {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => lines.push(Buffer.from(line).toString("latin1")));
  for (const chunk of chunks) cutter.push(chunk);
  cutter.end();
  return lines;
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const byteByByte = (text: string): Uint8Array[] =>
  [...bytes(text)].map((byte) => Uint8Array.of(byte));

describe("LineCutter", () => {
  it.each([
    ["", []],
    ["\n", [""]],
    ["a", ["a"]],
    ["a\n", ["a"]],
    ["a\nb", ["a", "b"]],
    ["a\n\nb\n", ["a", "", "b"]],
    ["a\r\nb", ["a\r", "b"]],
    ["\0\u00ff\n", ["\0\u00ff"]],
  ])("cuts %j", (text, lines) => {
    expect(cut([bytes(text)])).toEqual(lines);
    expect(cut(byteByByte(text))).toEqual(lines);
  });

  it("cuts the same in whatever pieces a text comes", () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 9 }));
    fc.assert(
      fc.property(pieces, (texts) => {
        const whole = texts.join("");
        expect(cut(texts.map(bytes))).toEqual(cut([bytes(whole)]));
        expect(cut(byteByByte(whole))).toEqual(cut([bytes(whole)]));
      }),
    );
  });

  it("gives lines whose memory stays as it is", () => {
    const lines: Uint8Array[] = [];
    const cutter = new LineCutter((line) => lines.push(line));
    const chunk = bytes("first\nsecond\n");
    cutter.push(chunk);
    chunk.fill(0);
    expect(lines.map(String)).toEqual(["first", "second"]);
  });

  it("cuts a line that does not end, so that memory stays bounded, and loses nothing", () => {
    const lines: Uint8Array[] = [];
    const cutter = new LineCutter((line) => lines.push(line));
    const chunk = new Uint8Array(1000).fill(0x78);
    for (let i = 0; i < 1000; i++) cutter.push(chunk);
    expect(lines.length).toBeGreaterThan(10);
    cutter.end();
    expect(lines.reduce((sum, line) => sum + line.length, 0)).toBe(1_000_000);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(70_000);
  });
});
