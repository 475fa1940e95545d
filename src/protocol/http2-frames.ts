/** The frames of HTTP/2 (RFC 9113, sections 4 and 6). */
import { Garbled, type Input, type Reading } from "./input.ts";

/** A client sends this before its first frame (section 3.4). */
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

/** The size of a SETTINGS parameter (section 6.5.2): a number of two bytes and a value of four. */
export const settingBytes = 6;

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

/** The longest frame that is read whole; header blocks are shorter. */
const mostPayloadBytes = 128 * 1024;
const mostBlockBytes = 64 * 1024;
/** The largest type registered at IANA: PRIORITY_UPDATE. */
const mostType = 0x10;

/** Reads the first bytes of a frame. */
export function* readFrameHeader(input: Input): Reading<FrameHeader> {
  const header = frameHeaderAt(yield* input.take(frameHeaderBytes), 0);
  // Unknown types must be skipped (section 5.5), but real connections rarely send them.
  const isLong = header.type !== FrameType.data && header.lengthBytes > mostPayloadBytes;
  if (header.type > mostType || isLong) throw new Garbled("no frame");
  return header;
}

/** Reads the rest of a frame other than DATA. */
export function* readPayload(input: Input, header: FrameHeader): Reading<Frame> {
  return { ...header, payload: (yield* input.take(header.lengthBytes)).slice() };
}

/** Reads a frame. The payload of DATA is skipped. */
export function* readFrame(input: Input): Reading<Frame> {
  const header = yield* readFrameHeader(input);
  if (header.type !== FrameType.data) return yield* readPayload(input, header);
  yield* input.skip(header.lengthBytes);
  return { ...header, payload: nothing };
}

/** Reads the header block that begins in this frame and continues in CONTINUATION frames. */
export function* readHeaderBlock(input: Input, first: Frame): Reading<Uint8Array> {
  const parts = [headerBlockOf(first)];
  let sizeBytes = 0;
  for (let last = first; (last.flags & FrameFlag.endHeaders) === 0;) {
    last = yield* readFrame(input);
    sizeBytes += last.payload.length + frameHeaderBytes;
    if (last.type !== FrameType.continuation || last.stream !== first.stream)
      throw new Garbled("no continuation");
    if (sizeBytes > mostBlockBytes) throw new Garbled("a long header block");
    parts.push(last.payload);
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const nothing: Uint8Array = new Uint8Array(0);

/** The header block in the payload of HEADERS or PUSH_PROMISE, without padding and priority. */
function headerBlockOf({ type, flags, payload }: Frame): Uint8Array {
  const isPadded = (flags & FrameFlag.padded) !== 0;
  const hasPriority = type === FrameType.headers && (flags & FrameFlag.priority) !== 0;
  const from = Number(isPadded) + (hasPriority ? 5 : 0) + (type === FrameType.pushPromise ? 4 : 0);
  const to = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (from > to) throw new Garbled("padding that is too long");
  return payload.subarray(from, to);
}

/** Most significant byte first. */
export function numberAt(bytes: Uint8Array, at: number, lengthBytes: number): number {
  return bytes.subarray(at, at + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
}
