import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { RecordingBuilder } from "../../../src/recording/recording-builder.ts";
import { RecordingIndex, segmentEvents } from "../../../src/recording/recording.ts";
import { globalScript, scriptOf } from "../../../src/replay/schedule/script.ts";
import { decode, perform, Recording, smallRecording, step } from "../dump/recording.ts";
import { record, TestRecording } from "./recording.ts";

/** Indexes a dump, and what the decoder said of it. */
function indexOf(bytes: Uint8Array) {
  const { items } = decode(bytes);
  const builder = new RecordingBuilder();
  for (const item of items) builder.add(item);
  const events = items.filter((item) => item.type === "stream" || item.type === "packet");
  return { index: new RecordingIndex(structuredClone(builder.finish())), events };
}

test("the index says of every event what the decoder said", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const recording = smallRecording();
      const more = new Recording();
      for (const next of steps) perform(more, next);
      for (const one of [recording, more]) {
        const { bytes } = one.finish();
        const { index, events } = indexOf(bytes);
        expect(index.eventCount).toBe(events.length);
        events.forEach((item, event) => {
          expect(index.timeNs(event)).toBe(item.atNs);
          const isPacket = item.type === "packet";
          const payload = isPacket ? item.packet : item.payload;
          const position = isPacket ? item.packetPosition : item.payloadPosition;
          expect([index.lengthBytes(event), index.payloadPosition(event)]).toEqual([
            payload.length,
            position,
          ]);
          if (isPacket) {
            expect(index.kind(event)).toBe(RecordKind.packet);
            expect([index.sender(event), index.receiver(event)]).toEqual([
              item.sender,
              item.receiver,
            ]);
            return;
          }
          const { number, client, server, family } = item.connection;
          expect(index.kind(event)).toBe(item.kind);
          expect(index.connection(event)).toBe(number);
          expect(index.streamOffset(event)).toBe(item.streamOffset);
          const isToServer = item.direction === Direction.toServer;
          expect(index.sender(event)).toBe((isToServer ? client : server).container);
          expect(index.receiver(event)).toBe((isToServer ? server : client).container);
          expect(index.connections.describe(number)).toMatchObject({
            family,
            client: client.container,
            clientPort: client.port,
            server: server.container,
            serverPort: server.port,
          });
        });
      }
    }),
    { numRuns: 30 },
  );
});

test("the events of a connection are found together, in order", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 2 connect client server:80
    2 packet client other
    3 2 accept
    4 1 refuse
    5 2 server "hello"
    6 2 client reset
  `);
  const { connections, byConnection } = index;
  const eventsOf = (number: number) => [
    ...byConnection.subarray(connections.from(number), connections.to(number)),
  ];
  expect([eventsOf(1), eventsOf(2)]).toEqual([
    [0, 4],
    [1, 3, 5, 6],
  ]);
  expect([connections.outcome(1), connections.outcome(2)]).toEqual(["refused", "accepted"]);
  expect(connections.bytes(2, Direction.toClient)).toBe(5);
  expect(connections.hasReset(2, Direction.toServer)).toBe(true);
  expect(connections.hasReset(2, Direction.toClient)).toBe(false);
  expect(connections.hasEnd(2, Direction.toServer)).toBe(false);
});

test("an opening is what the client sent before it was sent anything", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    0 1 client "GET "
    0 1 client "/"
    0 1 server "200 OK"
    0 1 client "not this"
    0 2 connect client server:80
    0 2 accept
    0 2 server "220 mail"
    0 2 client "HELO"
    0 3 connect client server:80
    0 3 accept
    0 3 client 2000 "x"
    0 4 connect client server:80
    0 4 accept
    0 4 client "PUT"
    0 4 client end
    0 5 connect client server:80
  `);
  const opening = (number: number) => Buffer.from(index.connections.opening(number)).toString();
  expect([1, 2, 3, 4, 5].map(opening)).toEqual(["GET /", "", "x".repeat(1024), "PUT", ""]);
});

test("very many connections with long openings take bounded memory", () => {
  const recording = new TestRecording();
  const payload = new Uint8Array(1024);
  for (let i = 0; i < 9000; i++) {
    const number = recording.connect(0, 1, 0, 80);
    recording.file.length = 0;
    new DataView(payload.buffer).setUint32(0, i);
    recording.event(0, number, RecordKind.data, Direction.toServer, payload);
    recording.event(0, number, RecordKind.end, Direction.toServer);
  }
  const { connections } = recording.finish();
  const lengths = [1, 8192, 8194, 8999].map((number) => connections.opening(number).length);
  expect(lengths).toEqual([1024, 1024, 128, 128]);
});

test("equal openings are kept once", () => {
  const recording = new TestRecording();
  for (let i = 0; i < 2000; i++) {
    const number = recording.connect(0, 1, 0, 80);
    recording.event(0, number, RecordKind.data, Direction.toServer, new Uint8Array(1024));
  }
  const { connections } = recording.finish();
  expect(connections.opening(2000)).toHaveLength(1024);
});

test("events go on in the next segment", () => {
  const recording = new TestRecording();
  const number = recording.connect(0, 1, 0, 80);
  const count = 2 * segmentEvents + 3;
  for (let i = 1; i < count; i++)
    recording.event(i, number, RecordKind.data, Direction.toServer, new Uint8Array(1));
  const index = recording.finish();
  expect(index.eventCount).toBe(count);
  expect(index.streamOffset(count - 1)).toBe(count - 2);
  expect(index.timeNs(segmentEvents)).toBe(segmentEvents * 1e6);
});

test("a script has what concerns a process; packets too", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 2 connect other server:80
    2 packet client other
    3 packet other server
    4 packet server client
    5 1 accept
  `);
  // A server is dialed where it accepted.
  expect([...scriptOf(index, 0)]).toEqual([1, 3, 4, 0, 5]);
  expect([...scriptOf(index, 1)]).toEqual([0, 2, 4, 5]);
  expect([...globalScript(index, new Set([2]))]).toEqual([1, 2, 3]);
});
