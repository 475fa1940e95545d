import { describe, expect, test } from "vitest";
import { parseMask } from "../../../src/replay/compare/parse-mask.ts";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import type { Mask } from "../../../src/replay/compare/masks.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { names, TestRecording } from "./recording.ts";

/** What a server was recorded to send, and sends now: the differences, with these masks. */
function compare(recorded: string, live: string, masks: readonly Mask[] = []): Difference[] {
  const recording = new TestRecording();
  const number = recording.connect(0, 1, 0, 80);
  recording.event(0, number, RecordKind.accept, Direction.toClient);
  const payload = Buffer.from(recorded, "latin1");
  recording.event(0, number, RecordKind.data, Direction.toClient, payload);
  const found: Difference[] = [];
  const parts = {
    index: recording.finish(),
    read: recording.read,
    report: (difference: Difference) => found.push(difference),
    masks,
    isCut: () => false,
    deliveredBytes: () => Infinity,
  };
  const comparison = comparisonFor(parts, number, Direction.toClient);
  const bytes = Buffer.from(live, "latin1");
  comparison.push(bytes, 0, bytes.length);
  comparison.finish();
  return found;
}

const random = (length: number, seed: number): string =>
  String.fromCharCode(...Array.from({ length }, (_, i) => (i * 37 + seed * 101) % 256));
const hello = (seed: number): string =>
  `\x16\x03\x03\0\x46\x02\0\0\x42\x03\x03${random(32, seed)}\0\x13\x01\0\0\x05rest`;
const kexinit = (seed: number): string =>
  `SSH-2.0-OpenSSH_9.2\r\n\0\0\x04\x3c\x06\x14${random(16, seed)}\0\0\x01\x09curve25519-sha256,rest`;

const shapes: readonly (readonly [name: string, recorded: string, live: string])[] = [
  [
    "an HTTP date",
    "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sun, 22 Nov 2026 17:55:40 GMT\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Mon, 23 Nov 2026 08:05:09 GMT\r\nContent-Length: 0\r\n\r\n",
  ],
  [
    "an HTTP date",
    "until Sun, 22 Nov 2026 17:55:40 GMT, and so on",
    "until Sun, 22 Nov 2026 17:55:41 GMT, and so on",
  ],
  [
    "a UUID (RFC 9562)",
    '{"id":"0b0d9a1e-7c1f-4c55-9d0e-0a1b2c3d4e5f","name":"x"}',
    '{"id":"0b0d9a1e-7c1f-4a00-8d0e-ffffffffffff","name":"x"}',
  ],
  [
    "a WebSocket key (RFC 6455)",
    "GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nSec-WebSocket-Key: AAhlIHNhbXBsZSBub25jZQ==\r\nHost: x\r\n\r\n",
  ],
  [
    "a JSON web token (RFC 7519)",
    `Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3${"a".repeat(60)}.c2ln\r\n\r\n`,
    `Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3${"a".repeat(59)}b.Zz8n\r\n\r\n`,
  ],
  [
    "a SCRAM nonce or proof (RFC 5802)",
    "SCRAM-SHA-256\0\0\0\0 n,,n=,r=rOprNGfwEbeRWgbNEkqO",
    "SCRAM-SHA-256\0\0\0\0 n,,n=,r=AbprNGfwEbeRWgbNEkqO",
  ],
  [
    "a SCRAM nonce or proof (RFC 5802)",
    "R\0\0\0\x5c\0\0\0\x0br=rOprNGfwEb%hvYDpWUa2,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "R\0\0\0\x5c\0\0\0\x0br=rOprNGfwEb%zzYDpWUa2,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  ],
  [
    "PostgreSQL's cancel key (BackendKeyData)",
    "R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\x10\x20\x01\x02\x03\x04Z\0\0\0\x05I",
    "R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\x11\x20\x05\x06\x07\x08Z\0\0\0\x05I",
  ],
  ["a TLS handshake, which draws new secrets in each session", hello(1), hello(2)],
  ["an SSH key exchange, which draws new secrets in each session", kexinit(1), kexinit(2)],
];

describe("a familiar shape is named, with a mask that covers it", () => {
  test.each(shapes)("%s", (name, recorded, live) => {
    const found = compare(recorded, live);
    expect(found).toMatchObject([{ kind: "bytes", shape: { name } }]);
    const { mask } = (found[0] as { shape: { mask: string } }).shape;
    expect(mask).toMatch(/^server:80\/.*\/$/);
    expect(compare(recorded, live, [parseMask(mask, names)])).toEqual([]);
  });
});

test.each([
  ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n"],
  [
    '{"id":"0b0d9a1e-7c1f-4c55-9d0e-0a1b2c3d4e5f","n":1}',
    '{"id":"0b0d9a1e-7c1f-4c55-9d0e-0a1b2c3d4e5f","n":2}',
  ],
  ['{"id":"0b0d9a1e-7c1f-4c55-9d0e-0a1b2c3d4e5f"}', '{"id":"zzz"}'],
  ["Date: Sun, 22 Nov 2026 17:55:40 GMT\r\n", "Date: \r\n"],
])("what has no familiar shape has no name: %j", (recorded, live) => {
  const found = compare(recorded, live);
  expect(found).toHaveLength(1);
  expect(found[0]).not.toHaveProperty("shape");
});
