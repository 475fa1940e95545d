import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { redactPacket } from "../../../src/export/packet-redaction.ts";
import { matchesIn, redact } from "../../../src/export/redaction.ts";
import { pseudoHeaderSum, sum, fold } from "../../../src/net/checksum.ts";
import { RecordedStream } from "../../../src/recording/recorded-stream.ts";
import { ipv4, udp } from "../capture/packets.ts";
import { TestRecording } from "../replay/recording.ts";

test("matches are overwritten across the borders of records, and nothing else is", () => {
  const word = fc.constantFrom("secret", "token=abc", "public ", "sec", "ret", "x");
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      (words, size) => {
        const text = words.join("");
        const recording = new TestRecording();
        const number = recording.connect(0, 1, 0, 80);
        recording.event(0, number, RecordKind.accept, Direction.toClient);
        for (let at = 0; at < text.length; at += size)
          recording.event(
            0,
            number,
            RecordKind.data,
            Direction.toServer,
            Buffer.from(text.slice(at, at + size)),
          );
        const index = recording.finish();
        const stream = new RecordedStream(index, recording.read, number, Direction.toServer);
        const ranges = matchesIn(stream, [/secret/g, /(?<=token=)[a-z]{3}/g]);
        let redacted = "";
        for (let at = 0; at < text.length; at += size) {
          const piece = Buffer.from(text.slice(at, at + size));
          redact(piece, at, ranges);
          redacted += piece.toString();
        }
        const expected = text
          .replaceAll("secret", "XXXXXX")
          .replaceAll(/(?<=token=)[a-z]{3}/g, "XXX");
        expect(redacted).toBe(expected);
      },
    ),
  );
});

test("a packet's checksum is right after it was redacted", () => {
  const packet = ipv4(
    "10.0.0.1",
    "10.0.0.2",
    17,
    udp(1000, 53, Buffer.from("user=ada password=hunter2")),
  );
  expect(redactPacket(packet, [/nothing/g])).toBe(false);
  expect(redactPacket(packet, [/(?<=password=)\w+/g])).toBe(true);
  expect(packet.toString("latin1")).toContain("user=ada password=XXXXXXX");
  const lengthBytes = packet.length - 20;
  expect(fold(sum(packet, 20, lengthBytes, pseudoHeaderSum(packet, 12, 4, 17, lengthBytes)))).toBe(
    0xffff,
  );
});
