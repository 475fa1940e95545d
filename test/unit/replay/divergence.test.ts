import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { type CommandExit, RecordKind } from "../../../src/dump/format/schema.ts";
import { compareEnd } from "../../../src/replay/findings/command-ends.ts";
import type { Difference, EndState, StreamName } from "../../../src/replay/findings/differences.ts";
import { DifferenceLog } from "../../../src/replay/findings/difference-log.ts";
import { nameStream } from "../../../src/replay/findings/stream-name.ts";
import { eventOf, orderDifferences } from "../../../src/replay/findings/divergence.ts";
import { loadDump } from "../../../src/viewer/load.ts";
import { Recording, run } from "../dump/recording.ts";

const { toServer, toClient } = Direction;
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Connection 2 is the one in question; its events are told by what they are. */
const recording = new Recording();
recording.connect(4, 2, 1);
const stream = recording.connect(4, 1, 0);
recording.event(stream, RecordKind.accept, toClient);
recording.data(stream, toServer, bytes("first"));
recording.data(stream, toClient, bytes("answer"));
recording.data(stream, toServer, bytes("second"));
recording.event(stream, RecordKind.end, toServer);
const { index } = await loadDump("t.dump", new Blob([recording.finish().bytes]));
const event = { connect: 1, accept: 2, first: 3, answer: 4, second: 5, end: 6 } as const;

const client: StreamName = nameStream(index, 2, toServer);
const server: StreamName = nameStream(index, 2, toClient);
const some = { before: "", recorded: "", live: "" };

test.each<[string, Difference, number | undefined]>([
  ["the first byte", { kind: "bytes", offset: 0, ...some, ...client }, event.first],
  ["the last of a piece", { kind: "bytes", offset: 4, ...some, ...client }, event.first],
  ["the first of the next", { kind: "bytes", offset: 5, ...some, ...client }, event.second],
  ["of the other direction", { kind: "bytes", offset: 5, ...some, ...server }, event.answer],
  ["beyond the last", { kind: "extra-bytes", offset: 11, ...some, ...client }, event.end],
  ["an end", { kind: "missing-end", offset: 11, ...client }, event.end],
  ["what was not taken", { kind: "stuck", offset: 2, expectedBytes: 6, ...client }, event.answer],
  ["a connection", { kind: "missing-connection", ...client }, event.connect],
  ["before anything was sent", { kind: "missing-reset", offset: 0, ...server }, event.answer],
])("%s is found", (_, difference, found) => {
  expect(eventOf(index, difference)).toBe(found);
});

test("what the recording does not have is nowhere", () => {
  const difference: Difference = {
    kind: "unexpected-connection",
    process: "client",
    server: run.containers[0]?.name ?? "",
    serverPort: 81,
    family: 4,
    beforeEvent: 0,
    recordedConnections: 0,
    otherFamilyConnections: 0,
  };
  expect(eventOf(index, difference)).toBeUndefined();
});

function kindsInOrder(...found: Difference[]): string[] {
  const log = new DifferenceLog(9);
  for (const one of found) log.add(one);
  const { differences } = orderDifferences(index, log.list());
  expect(differences.map(({ isFirst }) => isFirst)).toEqual(differences.map((_, i) => i === 0));
  return differences.map(({ kind }) => kind);
}

const process = "client";
const otherBytes: Difference = { kind: "bytes", offset: 5, ...some, ...client };
const missingEnd: Difference = { kind: "missing-end", offset: 11, ...client, connection: 1 };
const unexpected: Difference = {
  kind: "unexpected-connection",
  process,
  server: "server",
  serverPort: 1,
  family: 4,
  beforeEvent: event.second,
  recordedConnections: 0,
  otherFamilyConnections: 0,
};
const crashed: Difference = {
  kind: "command-end",
  process,
  recorded: { exitCode: 0, stopped: false },
  now: { signal: "SIGSEGV", stopped: false },
};

test("differences go by the events that were not repeated, however late they were found", () => {
  const late = { ...missingEnd, connection: 2 };
  expect(kindsInOrder(unexpected, otherBytes)).toEqual(["unexpected-connection", "bytes"]);
  expect(kindsInOrder({ ...unexpected, beforeEvent: event.end }, otherBytes)).toEqual([
    "bytes",
    "unexpected-connection",
  ]);
  expect(kindsInOrder(missingEnd, otherBytes)).toEqual(["missing-end", "bytes"]);
  expect(kindsInOrder(late, unexpected)).toEqual(["unexpected-connection", "missing-end"]);
});

test("a crash comes before what the process could not do any more, and after what led to it", () => {
  const early: Difference = { kind: "early-end", offset: 5, expectedBytes: 11, ...client };
  expect(kindsInOrder(early, crashed)).toEqual(["command-end", "early-end"]);
  expect(kindsInOrder(otherBytes, crashed)).toEqual(["bytes", "command-end"]);
  const hung = { ...crashed, now: { stopped: true } };
  expect(kindsInOrder(early, hung)).toEqual(["early-end", "command-end"]);
});

function compare(recorded: CommandExit | undefined, now: EndState, mayStop = false): boolean {
  return compareEnd(process, recorded, now, mayStop) !== undefined;
}

function exit(exitCode: number): EndState {
  return { exitCode, stopped: false };
}

test("an end is compared with the recorded one", () => {
  const stopped = { exitCode: 0, stopped: true };
  expect(compare({ exitCode: 0 }, exit(0))).toBe(false);
  expect(compare({ exitCode: 1 }, exit(1))).toBe(false);
  expect(compare({ exitCode: 0 }, exit(5))).toBe(true);
  expect(compare({ exitCode: 0 }, stopped)).toBe(true);
  expect(compare({ exitCode: 0 }, stopped, true)).toBe(false);
  expect(compare({ exitCode: 0 }, exit(5), true)).toBe(true);
  expect(compare(undefined, exit(5))).toBe(false);
  expect(compare({}, exit(5))).toBe(false);
  expect(compare({ signal: "SIGTERM", stoppedAtNs: 1 }, stopped)).toBe(false);
  expect(compare({ signal: "SIGTERM", stoppedAtNs: 1 }, exit(1))).toBe(false);
  expect(compare({ signal: "SIGTERM", stoppedAtNs: 1 }, exit(139))).toBe(true);
  expect(compare({ exitCode: 0, stoppedAtNs: 1 }, { signal: "SIGABRT", stopped: false })).toBe(
    true,
  );
});
