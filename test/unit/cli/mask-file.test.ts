import { expect, test } from "vitest";
import { parseMaskFile } from "../../../src/replay/compare/parse-mask.ts";

const parse = (text: string): unknown => parseMaskFile(text, ["server"], "masks");

test.each([
  ["# fine\n/a/\n  server:80 Date\n", "masks:3:12: 'server:80 Date' is not a mask"],
  ["server:80/Date", "masks:1:15: 'server:80/Date' is not a mask"],
  ["/a/\nother/b/", "masks:2:1: 'other/b/': the recording has no container 'other'"],
  ["server/a(/", "masks:1:8: Invalid regular expression"],
])("a mask file that does not parse: the line and the column are named", (text, message) => {
  expect(() => parse(text)).toThrow(message);
});
