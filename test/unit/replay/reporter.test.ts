// The order in which differences are found is not the order in which they are known for good.
import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import { DifferenceLog } from "../../../src/replay/findings/difference-log.ts";
import { reporterFor } from "../../../src/replay/findings/reporter.ts";
import { Progress } from "../../../src/replay/progress/progress.ts";
import { Schedule } from "../../../src/replay/schedule/schedule.ts";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

const { read, index } = record(`
  0 1 connect client server:80
  1 1 accept
  2 1 client "question"
`);
const client = 1;
const { toServer } = Direction;

function replayed() {
  const log = new DifferenceLog(9);
  const progress = new Progress(index);
  const reporter = reporterFor(log, index, progress);
  const options = { order: "process", release: { type: "causal" }, patienceMs: 10 } as const;
  const set = new Set([client]);
  const schedule = new Schedule(index, set, [client], progress, options, reporter.report);
  const parts = { ...reporter, index, read, masks: [], isCut: () => false };
  const comparison = comparisonFor({ ...parts, deliveredBytes: () => 0 }, 1, toServer);
  const send = (text: string): void => {
    comparison.push(Buffer.from(text), 0, text.length);
    schedule.noteBytes(1, toServer, comparison.position);
  };
  schedule.noteConnected(1);
  return { log, progress, schedule, comparison, send };
}

test("bytes that differ precede the missing ones, though their context is incomplete", () => {
  const { log, schedule, comparison, send } = replayed();
  send("qui");
  schedule.noteEnd(1, toServer);
  expect(log.list()).toMatchObject({ count: 1, differences: [{ kind: "bytes", offset: 2 }] });
  comparison.finish();
  expect(log.list()).toMatchObject({ count: 1, differences: [{ kind: "bytes", offset: 2 }] });
});

test("the context grows with what the process sends, up to the end of the stream", () => {
  const { log, comparison, send } = replayed();
  const contexts = ["x", "yz", "!".repeat(40), "not shown"].map((text) => {
    send(text);
    const [difference] = log.list().differences;
    return difference?.kind === "bytes" ? Buffer.from(difference.live, "hex").toString() : "";
  });
  comparison.finish();
  const whole = `xyz${"!".repeat(29)}`;
  expect(contexts).toEqual(["x", "xyz", whole, whole]);
  expect(log.count).toBe(1);
});

test("a process departs when its difference is reported, not when it is announced", () => {
  const { progress, comparison, send } = replayed();
  send("qui");
  expect(progress.hasDeparted(client)).toBe(false);
  comparison.conclude();
  expect(progress.hasDeparted(client)).toBe(true);
});

test("missing bytes name the unit that the process had to send next", () => {
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
  `);
  stage.schedule("client").noteAwaitedUnit(1, toServer, "stream 5, HEADERS");
  stage.play(`> client 1 end`);
  expect(stage.differences).toMatchObject([{ kind: "early-end", unit: "stream 5, HEADERS" }]);
});
