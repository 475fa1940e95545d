import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatRate, plural } from "../../../src/base/text.ts";

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [1234, "1.23 kB"],
    [9994, "9.99 kB"],
    [9996, "10.0 kB"],
    [99_940, "99.9 kB"],
    [99_950, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [1_230_000, "1.23 MB"],
    [200_000_000, "200 MB"],
    [10_500_000_000, "10.5 GB"],
    [12_345e12, "12345 TB"],
  ])("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("formatRate", () => {
  it.each([
    [0, "0 b/s"],
    [125, "1.00 kb/s"],
    [1_227_500, "9.82 Mb/s"],
  ])("%d bytes a second are %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0.00 s"],
    [420, "0.42 s"],
    [9_996, "10.0 s"],
    [12_340, "12.3 s"],
    [59_000, "59.0 s"],
    [60_000, "1 min 00 s"],
    [245_000, "4 min 05 s"],
    [3_599_700, "60 min 00 s"],
  ])("%d ms are %s", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it("never shows 60.0 s", () => {
    expect(formatDuration(59_999)).toBe("1 min 00 s");
  });
});

it("plural counts one apart", () => {
  expect([0, 1, 2].map((count) => plural(count, "line"))).toEqual(["0 lines", "1 line", "2 lines"]);
});
