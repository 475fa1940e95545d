/** HTTP/2 (RFC 9113) in cleartext: by prior knowledge, or after an upgrade. */
import { Direction, opposite } from "../base/direction.ts";
import { formatBytes } from "../base/text.ts";
import { HeaderDecoder, type HeaderField } from "./hpack.ts";
import {
  type Frame,
  FrameFlag,
  frameHeaderAt,
  frameHeaderBytes,
  FrameType,
  numberAt,
  preface,
  readFrame,
  readHeaderBlock,
  settingBytes,
} from "./http2-frames.ts";
import { Garbled, type Input, type Start, textOf } from "./input.ts";
import { type Decoder, type Decoding, inOneLine, type Protocol, type Decoded } from "./message.ts";

const protocol = "HTTP/2";

/** RFC 9113, section 6.5.2. */
const SETTINGS_HEADER_TABLE_SIZE = 1;
/** The most streams that may await an answer; further ones are not paired. */
const mostOpenStreams = 10_000;

export const http2: Protocol = {
  name: protocol,
  recognizes(bytes, direction) {
    return direction === Direction.toServer ? isPreface(bytes) : isFirstSettings(bytes);
  },
  decoders() {
    return new Http2().decoders();
  },
};

function isPreface(bytes: Uint8Array): boolean | undefined {
  const length = Math.min(bytes.length, preface.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== preface.charCodeAt(i)) return false;
  return length === preface.length || undefined;
}

/** A server may speak first, with its settings. */
function isFirstSettings(bytes: Uint8Array): boolean | undefined {
  if (bytes.length < frameHeaderBytes)
    return bytes.some((byte, i) => i < 2 && byte > 0) ? false : undefined;
  const { lengthBytes, type, flags, stream } = frameHeaderAt(bytes, 0);
  return (
    type === FrameType.settings &&
    flags === 0 &&
    stream === 0 &&
    lengthBytes % settingBytes === 0 &&
    lengthBytes < 0x100
  );
}

/** The shared state of a connection's two directions. */
export class Http2 {
  readonly #headers: readonly [HeaderDecoder, HeaderDecoder] = [
    new HeaderDecoder(),
    new HeaderDecoder(),
  ];
  /** By stream: the number of its unanswered request. */
  readonly #open = new Map<number, number>();
  #asked = 0;

  decoders(): readonly [Decoder, Decoder] {
    return [
      (input) => this.#direction(input, Direction.toServer),
      (input) => this.#direction(input, Direction.toClient),
    ];
  }

  /**
   * Decoders for a connection that was HTTP/1 until this request, whose answer comes on stream 1.
   */
  afterUpgrade(question: number): readonly [Decoder, Decoder] {
    this.#asked = question;
    this.#open.set(1, question);
    return this.decoders();
  }

  *#direction(input: Input, direction: Direction): Decoding {
    if (direction === Direction.toServer) {
      const bytes = yield* input.take(preface.length);
      if (isPreface(bytes) !== true) throw new Garbled("no preface");
    }
    for (;;) {
      const start = yield* input.start();
      const frame = yield* readFrame(input);
      const decoded = carriesHeaders(frame)
        ? this.#decodeHeaders(start, yield* readHeaderBlock(input, frame), frame, direction)
        : this.#describe(start, frame, direction);
      if (decoded) yield decoded;
    }
  }

  #describe(start: Start, frame: Frame, direction: Direction): Decoded | undefined {
    const { type, flags, stream } = frame;
    if (type === FrameType.settings && (flags & FrameFlag.ack) === 0)
      this.#obey(frame.payload, opposite(direction));
    if (type === FrameType.resetStream) this.#open.delete(stream);
    const text = describe(frame);
    return text === undefined ? undefined : { start, protocol, text: inOneLine(text) };
  }

  /** Applies settings: their sender limits its peer's header compression. */
  #obey(payload: Uint8Array, peer: Direction): void {
    for (let at = 0; at + settingBytes <= payload.length; at += settingBytes)
      if (numberAt(payload, at, 2) === SETTINGS_HEADER_TABLE_SIZE)
        this.#headers[peer].allow(numberAt(payload, at + 2, 4));
  }

  #decodeHeaders(
    start: Start,
    block: Uint8Array,
    { type, stream }: Frame,
    direction: Direction,
  ): Decoded {
    const fields = this.#headers[direction].decode(block);
    const method = valueOf(fields, ":method");
    const status = valueOf(fields, ":status");
    if (method !== undefined) {
      const request = inOneLine(`${method} ${valueOf(fields, ":path") ?? authorityOf(fields)}`);
      if (type === FrameType.pushPromise) return { start, protocol, text: `promises ${request}` };
      return { start, protocol, text: request, question: this.#ask(stream) };
    }
    if (status === undefined)
      return { start, protocol, text: inOneLine(`stream ${stream}: ${trailersOf(fields)}`) };
    const grpc = valueOf(fields, "grpc-status");
    const text = inOneLine(grpc === undefined ? status : `${status}, grpc-status ${grpc}`);
    // RFC 9113, section 8.1: an interim answer precedes the final one.
    if (/^1\d\d$/.test(status)) return { start, protocol, text };
    return { start, protocol, text, answers: this.#answer(stream) };
  }

  #ask(stream: number): number | undefined {
    if (this.#open.size >= mostOpenStreams) return undefined;
    this.#open.set(stream, ++this.#asked);
    return this.#asked;
  }

  #answer(stream: number): number | undefined {
    const question = this.#open.get(stream);
    this.#open.delete(stream);
    return question;
  }
}

function carriesHeaders({ type }: Frame): boolean {
  return type === FrameType.headers || type === FrameType.pushPromise;
}

function valueOf(fields: readonly HeaderField[], wanted: string): string | undefined {
  return fields.find(([name]) => name === wanted)?.[1];
}

function authorityOf(fields: readonly HeaderField[]): string {
  return valueOf(fields, ":authority") ?? "";
}

function trailersOf(fields: readonly HeaderField[]): string {
  return fields.map(([name, value]) => `${name}: ${value}`).join(", ");
}

/** Describes a frame without headers. Flow control and acknowledgments are not messages. */
function describe({ type, flags, stream, lengthBytes, payload }: Frame): string | undefined {
  const isEnd = (flags & FrameFlag.endStream) !== 0;
  switch (type) {
    case FrameType.data:
      return `stream ${stream}: ${formatBytes(lengthBytes)}${isEnd ? ", its last" : ""}`;
    case FrameType.resetStream:
      return `stream ${stream}: reset, error ${numberAt(payload, 0, 4)}`;
    case FrameType.settings:
      return isEnd ? undefined : "settings";
    case FrameType.ping:
      return isEnd ? undefined : "ping";
    case FrameType.goAway: {
      const why = textOf(payload.subarray(8, 8 + 200));
      return `goes away, error ${numberAt(payload, 4, 4)} ${why}`;
    }
    default:
      return undefined;
  }
}
