import { expect, test } from "vitest";
import { ReadLimits } from "../../../src/replay/drive/read-limits.ts";

interface End {
  readonly kind: string;
}

const newLimits = (): ReadLimits<End> => new ReadLimits(({ kind }) => kind);
const newEnd = (kind = "log"): End => ({ kind });

test("a connection that is left unread delays by a tenth of a second in all", () => {
  const limits = newLimits();
  const [unread, other] = [newEnd(), newEnd("control")];
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
  const limits = newLimits();
  const end = newEnd();
  for (let i = 0; i < 100; i++) limits.noteUnread(end);
  for (let i = 0; i < 6; i++) limits.noteRead(end);
  expect(limits.limitMs(end)).toBe(50);
  limits.noteRead(end);
  expect(limits.limitMs(end)).toBe(50);
});

test("many connections of a kind, each left unread once, delay no longer than a single one", () => {
  const limits = newLimits();
  let sumMs = 0;
  for (let i = 0; i < 200; i++) {
    const end = newEnd();
    sumMs += limits.limitMs(end);
    limits.noteUnread(end);
  }
  expect(sumMs).toBeLessThan(100);
  expect(limits.limitMs(newEnd())).toBe(0);
  expect(limits.limitMs(newEnd("control"))).toBe(50);
});

test("only the first wait of a connection counts for its kind", () => {
  const limits = newLimits();
  const end = newEnd();
  limits.noteRead(end);
  for (let i = 0; i < 100; i++) limits.noteUnread(end);
  expect(limits.limitMs(newEnd())).toBe(50);
});

test("connections of a kind that are read in time restore its limit", () => {
  const limits = newLimits();
  for (let i = 0; i < 100; i++) limits.noteUnread(newEnd());
  for (let i = 0; i < 6; i++) limits.noteRead(newEnd());
  expect(limits.limitMs(newEnd())).toBe(50);
});
