import { expect, test } from "vitest";
import { ReadingWatch } from "../../../src/replay/drive/reading-watch.ts";

test("a process that empties its buffers reads; one that leaves them as they are does not", () => {
  const watch = new ReadingWatch();
  const end = { isClosed: false, left: 100, unreadBytes: () => end.left };
  watch.noteSent(end);
  expect(watch.hasRead()).toBe(false); // It may have been sent just now.
  expect(watch.hasRead()).toBe(false);
  end.left = 40;
  expect(watch.hasRead()).toBe(true);
  expect(watch.hasRead()).toBe(false);
  end.left = 0;
  expect(watch.hasRead()).toBe(true);
  expect(watch.isIdle).toBe(true);
});

test("more that is sent is not taken for less", () => {
  const watch = new ReadingWatch();
  const end = { isClosed: false, left: 100, unreadBytes: () => end.left };
  watch.noteSent(end);
  watch.hasRead();
  end.left = 150;
  watch.noteSent(end);
  expect(watch.hasRead()).toBe(false);
  const closed = { isClosed: true, unreadBytes: () => 10 };
  watch.noteSent(closed);
  expect(watch.hasRead()).toBe(false);
});
