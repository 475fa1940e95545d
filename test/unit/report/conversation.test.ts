import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import type { StreamItem } from "../../../src/dump/format/decoder.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { renderEvent, renderParties } from "../../../src/report/conversation.ts";
import { decode, Recording, run } from "../dump/recording.ts";

const { toServer, toClient } = Direction;

function streamItems(recording: Recording): StreamItem[] {
  return decode(recording.finish().bytes).items.filter((item) => item.type === "stream");
}

test("a conversation reads like one, and gives a terminal no orders", () => {
  const recording = new Recording();
  const stream = recording.connect(4, 1, 0);
  recording.atNs = 1_500_000;
  recording.event(stream, RecordKind.accept, toClient);
  recording.data(stream, toServer, Buffer.from("GET / HTTP/1.1\r\nHost: server\r\n\r\n"));
  recording.data(stream, toClient, Buffer.from("\u001b[2Jno\n"));
  recording.event(stream, RecordKind.end, toClient);
  recording.event(stream, RecordKind.reset, toServer);
  const items = streamItems(recording);
  const [first] = items as [StreamItem];
  const text = items.map((item) => renderEvent(run, item, "text")).join("");
  expect(`${renderParties(run, first)}${text}`).toMatchInlineSnapshot(`
    "connection 1, client:40000 → server:80
    0.000000 s  client  connects to port 80
    0.001500 s  server  accepts
    0.001500 s  client  32 B
      GET / HTTP/1.1
      Host: server

    0.001500 s  server  7 B
      ·[2Jno
    0.001500 s  server  ends its direction
    0.001500 s  client  resets
    "
  `);
  const hex = items.map((item) => renderEvent(run, item, "hexadecimal")).join("");
  expect(hex).toContain("         0  1b 5b 32 4a 6e 6f 0a");
});
