/**
 * The bytes that programs send: known from the connection, the side and the offset alone. As in
 * `actor.py`.
 */
import type { Connection, Listener, Side } from "./scenario.ts";

/** A prime, so that no buffer's size is a multiple of it. */
const periodBytes = 8191;
const keptPeriods = 4;

/** What a side sends before the first step: a login, a hello. */
export function preamble(listener: Listener, connection: Connection, side: Side): Buffer {
  const { identify } = listener;
  if (identify !== "hello" && identify !== "login") return Buffer.alloc(0);
  const isLogin = identify === "login";
  if (side === "server") return Buffer.from(isLogin ? "ok" : "");
  return Buffer.from((isLogin ? "login" : "") + String(connection.id).padStart(4, "0"));
}

/** All that one side sends. */
export class SentBytes {
  readonly #preamble: Buffer;
  readonly #periods: Buffer;

  constructor(listener: Listener, connection: Connection, side: Side) {
    this.#preamble = preamble(listener, connection, side);
    this.#periods = periodsOf(connection.id, side);
  }

  /** Whether `bytes`, which lie at `offset`, are those that the side sends there. */
  holds(offset: number, bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      const inSteps = offset + at - this.#preamble.length;
      const sent =
        inSteps < 0
          ? this.#preamble.subarray(inSteps)
          : this.#periods.subarray(inSteps % periodBytes);
      const length = Math.min(sent.length, bytes.length - at);
      if (Buffer.compare(sent.subarray(0, length), bytes.subarray(at, at + length)) !== 0)
        return false;
      at += length;
    }
    return true;
  }
}

/** What the steps of a side send, again and again. */
function periodsOf(id: number, side: Side): Buffer {
  const bytes = Buffer.alloc(keptPeriods * periodBytes);
  const salt = id * 101 + (side === "client" ? 0 : 57);
  for (let i = 0; i < periodBytes; i++) bytes[i] = ((i * (i + 7 + salt)) >> 3) & 255;
  for (let i = 1; i < keptPeriods; i++) bytes.copy(bytes, i * periodBytes, 0, periodBytes);
  return bytes;
}
