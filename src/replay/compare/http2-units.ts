/**
 * Splits HTTP/2 (RFC 9113) into units, with one key per stream and one for the connection. Header
 * blocks are compared decoded, because their encoding depends on what other streams sent before.
 * Boundaries of DATA frames depend on windows, so they do not matter.
 */
import { hex } from "../../base/bytes.ts";
import { Direction } from "../../base/direction.ts";
import { latin1, octetsOf } from "../../base/latin1.ts";
import { HeaderDecoder } from "../../protocol/hpack.ts";
import {
  type Frame,
  FrameFlag,
  type FrameHeader,
  FrameType,
  numberAt,
  preface,
  readFrameHeader,
  readHeaderBlock,
  readPayload,
  settingBytes,
} from "../../protocol/http2-frames.ts";
import { Garbled, type Input } from "../../protocol/input.ts";
import type { Framing, Unit, Units } from "./units.ts";

const connectionKey = "connection";
/** The peer limits the table's size. Whether an encoder respects that does not concern us. */
const anyTableBytes = 0xffff_ffff;
const mostDataBytes = 0x1_0000;
/** RFC 9113, section 6.5.2. */
const settingNames = [
  "HEADER_TABLE_SIZE",
  "ENABLE_PUSH",
  "MAX_CONCURRENT_STREAMS",
  "INITIAL_WINDOW_SIZE",
  "MAX_FRAME_SIZE",
  "MAX_HEADER_LIST_SIZE",
];
/** A request that asks for an upgrade (RFC 7540, section 3.2). */
const upgradeRequest = /^[A-Z]+ \S+ HTTP\/1\.1\r\n(?:.*\r\n)*?upgrade: *h2c\r\n/i;

export const http2Framing: Framing = {
  recognizes(opening) {
    const text = latin1(opening);
    return text.startsWith(preface) || upgradeRequest.test(text);
  },
  *units(input, direction) {
    const isPlain = yield* isHead(input);
    if (isPlain) yield* readHead(input);
    if (direction === Direction.toServer) yield* readPreface(input);
    const headers = new HeaderDecoder();
    headers.allow(anyTableBytes);
    for (;;) {
      input.release();
      const header = yield* readFrameHeader(input);
      if (header.type === FrameType.data) yield* readData(input, header);
      else yield* readOther(input, yield* readPayload(input, header), headers);
    }
  },
};

/** Whether HTTP/1 comes first: a request with an upgrade, or the response to it. */
function* isHead(input: Input): Generator<undefined, boolean, void> {
  const first = yield* input.peek(3);
  const text = latin1(first);
  return /^[A-Z]{3}$/.test(text) && text !== preface.slice(0, 3) && text !== "\0\0\0";
}

function* readHead(input: Input): Units {
  for (let line: string | undefined; line !== "";) {
    line = yield* input.line();
    yield message(input, connectionKey, "HTTP/1", `${line}\n`);
  }
}

function* readPreface(input: Input): Units {
  const bytes = yield* input.take(preface.length);
  if (latin1(bytes) !== preface) throw new Garbled("no preface");
  yield message(input, connectionKey, "preface", preface);
}

/** RFC 9113, section 6.1. */
function* readData(input: Input, { lengthBytes, flags, stream }: FrameHeader): Units {
  const key = `stream ${stream}`;
  let left = lengthBytes;
  let paddingBytes = 0;
  if ((flags & FrameFlag.padded) !== 0) {
    paddingBytes = (yield* input.take(1))[0] ?? 0;
    left -= 1 + paddingBytes;
    if (left < 0) throw new Garbled("padding that is too long");
  }
  while (left > 0) {
    const content = yield* input.some(Math.min(left, mostDataBytes));
    left -= content.length;
    yield { key, name: "DATA", endOffset: input.offset, role: "data", content, isVerbatim: true };
  }
  yield* input.skip(paddingBytes);
  if ((flags & FrameFlag.endStream) !== 0) yield endOfStream(input, key);
}

/** Reads any other frame. HEADERS and PUSH_PROMISE come with their continuations. */
function* readOther(input: Input, frame: Frame, headers: HeaderDecoder): Units {
  const { type, flags, stream } = frame;
  const key = stream === 0 ? connectionKey : `stream ${stream}`;
  const carriesHeaders = type === FrameType.headers || type === FrameType.pushPromise;
  const block = carriesHeaders ? yield* readHeaderBlock(input, frame) : undefined;
  const fields = block && headers.decode(block).map(([name, value]) => `${name}: ${value}\n`);
  const [name, text] = describe(frame, fields?.join("") ?? "");
  yield { ...message(input, key, name, text), role: isFree(frame) ? "free" : "message" };
  if (type === FrameType.headers && (flags & FrameFlag.endStream) !== 0)
    yield endOfStream(input, key);
}

/** Flow control and acknowledgments depend on when each side reads (sections 6.5, 6.7 and 6.9). */
function isFree({ type, flags }: FrameHeader): boolean {
  if (type === FrameType.windowUpdate || type === FrameType.ping) return true;
  return type === FrameType.settings && (flags & FrameFlag.ack) !== 0;
}

function endOfStream(input: Input, key: string): Unit {
  return message(input, key, "END_STREAM", "END_STREAM\n");
}

function message(input: Input, key: string, name: string, text: string): Unit {
  const content = octetsOf(text);
  return { key, name, endOffset: input.offset, role: "message", content, isVerbatim: false };
}

/** The name of a frame, and a text of its content. */
function describe(frame: Frame, fields: string): readonly [name: string, text: string] {
  const { type, payload } = frame;
  switch (type) {
    case FrameType.headers:
      return ["HEADERS", `HEADERS\n${fields}\n`];
    case FrameType.pushPromise:
      return ["PUSH_PROMISE", `PUSH_PROMISE\n${fields}\n`];
    case FrameType.settings:
      return ["SETTINGS", `SETTINGS\n${settingsIn(payload)}\n`];
    case FrameType.resetStream:
      return ["RST_STREAM", `RST_STREAM error ${numberAt(payload, 0, 4)}\n`];
    case FrameType.goAway: {
      const reason = latin1(payload.subarray(8));
      const [last, error] = [numberAt(payload, 0, 4), numberAt(payload, 4, 4)];
      return ["GOAWAY", `GOAWAY last stream ${last}, error ${error} ${reason}\n`];
    }
    default:
      return [`frame of type ${type}`, `frame of type ${type}: ${hex(payload)}\n`];
  }
}

function settingsIn(payload: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at + settingBytes <= payload.length; at += settingBytes)
    lines.push(`${nameSetting(numberAt(payload, at, 2))}: ${numberAt(payload, at + 2, 4)}\n`);
  return lines.join("");
}

function nameSetting(number: number): string {
  return settingNames[number - 1] ?? `setting-${number}`;
}
