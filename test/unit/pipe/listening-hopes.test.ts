import { expect, test } from "vitest";
import type { Port } from "../../../src/base/units.ts";
import { ListeningHopes } from "../../../src/pipe/core/listening-hopes.ts";

const connection = {
  family: 4,
  client: 1,
  clientPort: 40_000 as Port,
  server: 0,
  serverPort: 80 as Port,
} as const;

test("the time runs for the port, in either family, and not for each attempt", () => {
  const hopes = new ListeningHopes(2000);
  expect(hopes.remainingMs({ ...connection, family: 6 }, 100)).toBe(2000);
  expect(hopes.remainingMs(connection, 1100)).toBe(1000);
  expect(hopes.remainingMs(connection, 2100)).toBe(0);
  expect(hopes.remainingMs({ ...connection, serverPort: 81 as Port }, 2100)).toBe(2000);
});

test("it begins anew once somebody has listened, or after a while", () => {
  const hopes = new ListeningHopes(2000);
  hopes.remainingMs(connection, 0);
  hopes.noteAccepted(connection);
  expect(hopes.remainingMs(connection, 1500)).toBe(2000);
  expect(hopes.remainingMs(connection, 5500)).toBe(2000);
});

test("nobody listens in a container without processes", () => {
  const hopes = new ListeningHopes(2000);
  hopes.remainingMs(connection, 0);
  hopes.noteGone(0);
  expect(hopes.isGone(connection)).toBe(true);
  expect(hopes.remainingMs(connection, 1)).toBe(0);
});
