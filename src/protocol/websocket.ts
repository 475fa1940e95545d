/** WebSocket frames (RFC 6455, section 5.2), in either direction. */
import { formatBytes } from "../base/text.ts";
import { Garbled, type Input, type Reading, textOf } from "./input.ts";
import { type Decoding, inOneLine } from "./message.ts";

const protocol = "WebSocket";

/** The most bytes of a frame's payload that are examined. */
const shownBytes = 512;

const opcodes: Readonly<Record<number, string>> = {
  0: "continuation",
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

interface Frame {
  readonly opcode: number;
  /** RFC 7692: its payload is compressed. */
  readonly isCompressed: boolean;
  readonly lengthBytes: number;
  readonly shown: Uint8Array;
}

export function* webSocketFrames(input: Input): Decoding {
  for (;;) {
    const start = yield* input.start();
    yield { start, protocol, text: describe(yield* readFrame(input)) };
  }
}

function* readFrame(input: Input): Reading<Frame> {
  const [first = 0, second = 0] = yield* input.take(2);
  const opcode = first & 0xf;
  const isCompressed = (first & 0x40) !== 0;
  if (opcodes[opcode] === undefined || (first & 0x30) !== 0) throw new Garbled("no frame");
  const lengthBytes = yield* readLength(input, second & 0x7f);
  const mask = (second & 0x80) === 0 ? undefined : (yield* input.take(4)).slice();
  const carried = yield* input.takeSome(lengthBytes, shownBytes);
  const shown = mask
    ? carried.slice(0, shownBytes).map((byte, i) => byte ^ (mask[i & 3] ?? 0))
    : carried;
  return { opcode, isCompressed, lengthBytes, shown: shown.subarray(0, shownBytes) };
}

function* readLength(input: Input, short: number): Reading<number> {
  if (short < 126) return short;
  const bytes = yield* input.take(short === 126 ? 2 : 8);
  const length = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(length)) throw new Garbled("no length");
  return length;
}

function describe({ opcode, isCompressed, lengthBytes, shown }: Frame): string {
  const name = opcodes[opcode] ?? "";
  const size = formatBytes(lengthBytes);
  if (isCompressed) return `${name}, compressed, ${size}`;
  if (opcode === 1) return inOneLine(`text ${textOf(shown)}`);
  if (opcode !== 8 || shown.length < 2) return lengthBytes === 0 ? name : `${name}, ${size}`;
  const code = ((shown[0] as number) << 8) | (shown[1] as number);
  return inOneLine(`close ${code} ${textOf(shown.subarray(2))}`);
}
