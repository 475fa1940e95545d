import { expect, test } from "vitest";
import { ReadLimits } from "../../../src/replay/drive/read-limits.ts";

test("a connection that is left unread delays by a tenth of a second in all", () => {
  const limits = new ReadLimits();
  const [unread, other] = [{}, {}];
  let sumMs = 0;
  for (let i = 0; i < 200; i++) {
    sumMs += limits.limitMs(unread);
    limits.noteUnread(unread);
  }
  expect(sumMs).toBeLessThan(100);
  expect(limits.limitMs(unread)).toBe(0);
  expect(limits.limitMs(other)).toBe(50);
});

test("reading in time restores what was lost", () => {
  const limits = new ReadLimits();
  const end = {};
  for (let i = 0; i < 100; i++) limits.noteUnread(end);
  for (let i = 0; i < 6; i++) limits.noteRead(end);
  expect(limits.limitMs(end)).toBe(50);
  limits.noteRead(end);
  expect(limits.limitMs(end)).toBe(50);
});
