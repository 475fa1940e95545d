import { expect, test } from "vitest";
import { activityOf } from "../../../src/replay/findings/activity.ts";
import { Stage } from "./playbook.ts";
import { containerOf, record } from "./recording.ts";

test("what else goes on: connections that are up and not over, and how far they have got", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "abc"
    3 1 server "defgh"
    4 2 connect client server:81
    5 2 accept
    6 2 server "x"
    7 3 connect client server:82
  `);
  const stage = new Stage(index, ["client"]);
  const client = containerOf("client");
  const activity = (besides: number, most = 9): readonly string[] =>
    activityOf(index, stage.progress, client, besides, most);
  expect(activity(0)).toEqual([]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "ab"
    > client 2 connect
    > client 3 connect
  `);
  const one = "connection 1, client:40001 \u2192 server:80: has sent 2 of 3 bytes, got 0 of 5";
  const two = "connection 2, client:40002 \u2192 server:81: has sent 0 of 0 bytes, got 0 of 1";
  expect(activity(0)).toEqual([one, two]);
  expect(activity(1)).toEqual([two]);
  expect(activity(0, 1)).toEqual([one]);
});
