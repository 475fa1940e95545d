import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { faults } from "../../faults/faults.ts";

// The figures differ from run to run; which faults there are, and how often they were injected,
// does not.
test("docs/reliability.md has a row for every fault, injected as often as it says", () => {
  const page = readFileSync(new URL("../../../docs/reliability.md", import.meta.url), "utf8");
  const rows = page.split("\n").filter((line) => /^\| (?!fault )/.test(line));
  const cells = rows.map((row) =>
    row.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, "")),
  );
  const expected = Object.values(faults).map(({ title, times: [, many] }) => [title, String(many)]);
  expect(cells.map(([title, times]) => [title, times])).toEqual(expected);
  for (const [, , lost, afterwards] of cells) expect(lost && afterwards).toBeTruthy();
});
