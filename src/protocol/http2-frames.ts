/** The frames of HTTP/2 (RFC 9113, sections 4 and 6). */
import { Garbled, type Input, type Reading } from "./input.ts";

/** What a client sends before its first frame (section 3.4). */
export const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FrameFlag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const frameHeaderBytes = 9;

/** The first nine bytes of a frame. */
export interface FrameHeader {
  readonly lengthBytes: number;
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

export function frameHeaderAt(bytes: Uint8Array, at: number): FrameHeader {
  const byte = (i: number): number => bytes[at + i] as number;
  return {
    lengthBytes: (byte(0) << 16) | (byte(1) << 8) | byte(2),
    type: byte(3),
    flags: byte(4),
    stream: ((byte(5) & 0x7f) << 24) | (byte(6) << 16) | (byte(7) << 8) | byte(8),
  };
}

/** A frame, and the beginning of its payload. */
export interface Frame extends FrameHeader {
  readonly payload: Uint8Array;
}

/** Of the frames that are read whole, the longest: more is no header block. */
const mostPayloadBytes = 128 * 1024;

/** Reads a frame. Of data, the payload is skipped. */
export function* readFrame(input: Input): Reading<Frame> {
  const header = frameHeaderAt(yield* input.take(frameHeaderBytes), 0);
  // Unknown types are to be passed over (section 5.5), but nobody sends them by the hundred.
  if (header.type > 0x10) throw new Garbled("no frame");
  if (header.type !== FrameType.data && header.lengthBytes <= mostPayloadBytes)
    return { ...header, payload: (yield* input.take(header.lengthBytes)).slice() };
  if (header.type !== FrameType.data) throw new Garbled("a long frame");
  yield* input.skip(header.lengthBytes);
  return { ...header, payload: nothing };
}

const nothing: Uint8Array = new Uint8Array(0);

/** The part of HEADERS' or PUSH_PROMISE's payload that is a header block: without padding and priority. */
export function headerBlockOf({ type, flags, payload }: Frame): Uint8Array {
  const isPadded = (flags & FrameFlag.padded) !== 0;
  const hasPriority = type === FrameType.headers && (flags & FrameFlag.priority) !== 0;
  const from = Number(isPadded) + (hasPriority ? 5 : 0) + (type === FrameType.pushPromise ? 4 : 0);
  const to = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (from > to) throw new Garbled("padding that is too long");
  return payload.subarray(from, to);
}
