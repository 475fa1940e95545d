// What did not come says how long replay waited for it, and by which rule it no longer did.
import { expect, test } from "vitest";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { renderDifference } from "../../../src/report/differences.ts";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

const { index } = record(`
  0    1 connect client server:80
  1    1 accept
  9000 1 client "hello"
  9001 2 connect client server:81
`);

function missing(stage: Stage): Difference {
  const found = stage.differences[0];
  if (found === undefined) throw new Error("nothing is missing");
  return found;
}

test("until the process's own clock passed the recorded time", () => {
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    .. client
    @ 11000
    .. client
  `);
  const difference = missing(stage);
  const wait = { rule: "clock", waitedMs: 11_000, recordedMs: 9000, patienceMs: 2000 };
  expect(difference).toMatchObject({ kind: "missing-bytes", wait });
  expect(renderDifference(difference)).toContain(
    "  replay waited for 11.0 s: it was due 9.00 s after the start, and patience lasted 2.00 s more",
  );
});

test("as long as the gap was in the recording, of a process that has departed", () => {
  const stage = new Stage(index, ["client"]);
  stage.progress.noteDeparture(1);
  stage.play(`
    @ 5000
    > client 1 connect
    < client 1 accept
    .. client
    @ 15999
    .. client
  `);
  const difference = missing(stage);
  expect(difference).toMatchObject({ wait: { rule: "gap", recordedMs: 8999, patienceMs: 2000 } });
  expect(renderDifference(difference).join("\n")).toMatch(
    /replay waited for 11\.0 s: it had taken 9\.00 s, and patience lasted 2\.00 s more/,
  );
});

test("not at all, of a process that is gone", () => {
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client gone
    = client
  `);
  const difference = missing(stage);
  expect(difference).toMatchObject({ kind: "missing-bytes", wait: { rule: "gone" } });
  expect(renderDifference(difference)).toContain("  replay did not wait: the process was gone");
});
