import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import {
  type Difference,
  nameStream,
  type StreamName,
} from "../../../src/replay/findings/differences.ts";
import { eventOf } from "../../../src/viewer/differences.ts";
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
    recordedConnections: 0,
    otherFamilyConnections: 0,
  };
  expect(eventOf(index, difference)).toBeUndefined();
});
