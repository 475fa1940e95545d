import { expect, test } from "vitest";
import { StartHold } from "../../../src/replay/drive/start-hold.ts";
import { record } from "./recording.ts";

const { index } = record(`
  1000 1 connect client server:80
  1001 1 refuse
  2000 2 connect client server:80
  3000 2 accept
  3001 3 connect client server:80
  3002 3 accept
`);
const [refused, first, second] = [0, 2, 4] as const;

/**
 * When each connection is let go, if the server listens from `listensMs` on, and works until
 * `worksUntilMs`.
 */
function connectTimes(listensMs: number, speed = 1, worksUntilMs = Infinity): number[] {
  const clock = { nowMs: 0 };
  const listens = (): boolean => clock.nowMs >= listensMs;
  const isWorking = (): boolean => clock.nowMs < worksUntilMs;
  const hold = new StartHold({ clock, index, patienceMs: 2000, speed, listens, isWorking });
  return [refused, first, second].map((connect) => {
    for (let ms = hold.holdMs(connect); ms > 0; ms = hold.holdMs(connect)) clock.nowMs += ms;
    return clock.nowMs;
  });
}

test("a server is connected to no sooner after its start than in the recording", () => {
  expect(connectTimes(0)).toEqual([1000, 3000, 3000]);
  expect(connectTimes(2999)).toEqual([1000, 3000, 3000]);
  expect(connectTimes(0, 10)).toEqual([100, 300, 300]);
});

test("one that starts more slowly gets a moment when it listens", () => {
  expect(connectTimes(3800)).toEqual([1000, 4300, 4300]);
  expect(connectTimes(3800, 1, 3950)).toEqual([1000, 4040, 4040]);
  expect(connectTimes(3800, 1, 0)).toEqual([1000, 3900, 3900]);
});

test("one that is gone is not waited for", () => {
  const clock = { nowMs: 0 };
  const hold = new StartHold({
    clock,
    index,
    patienceMs: 2000,
    speed: 1,
    listens: () => false,
    isWorking: () => false,
  });
  expect(hold.holdMs(first)).toBe(3000);
  hold.noteGone(0);
  expect(hold.holdMs(first)).toBe(0);
});

test("one that never listens is waited for as long as patience lasts", () => {
  expect(connectTimes(Infinity)).toEqual([1000, 5000, 5000]);
});
