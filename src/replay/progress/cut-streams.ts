/**
 * Streams that the other side cut off. A process that sends when its peer closes, resets or dies gets
 * rid of as many bytes as buffers and timing allow, which is different in every run. So such a stream
 * counts up to the point where it was cut.
 *
 * A FIN alone cuts nothing: it may be a half-close before a long answer. A reset does. Where the peer
 * closed first, its kernel sends the FIN and resets the connection when more bytes come (RFC 9293,
 * 3.6.1), so the FIN is the point. If an answer was still due then, at least its first byte counts.
 */
import { type Direction, opposite } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** Byte offsets in recorded streams where their receiver cut them off. */
export class CutStreams {
  readonly #index: RecordingIndex;
  /** By 2 * connection + direction, where it was looked up. */
  readonly #offsets = new Map<number, number>();
  readonly #origins = new Map<number, number>();

  constructor(index: RecordingIndex) {
    this.#index = index;
  }

  /** `connection` is an exchange that was detached from `origin`, whose offsets it has. */
  adopt(connection: number, origin: number): void {
    this.#origins.set(connection, origin);
  }

  /** After how many bytes `direction` was cut; Infinity if it came to an end of its own. */
  offset(number: number, direction: Direction): number {
    const connection = this.#origins.get(number) ?? number;
    if (!this.#index.connections.hasReset(connection, opposite(direction))) return Infinity;
    const key = 2 * connection + direction;
    let offset = this.#offsets.get(key);
    if (offset === undefined) {
      offset = this.#find(connection, direction);
      this.#offsets.set(key, offset);
    }
    return offset;
  }

  isCut(connection: number, direction: Direction): boolean {
    return this.offset(connection, direction) < Infinity;
  }

  /**
   * How many of the first `bytes` of a stream are waited for. Behind a FIN one byte is enough: that is
   * what the peer's kernel resets the connection for.
   */
  awaitedBytes(connection: number, direction: Direction, bytes: number): number {
    return Math.min(bytes, this.offset(connection, direction) + 1);
  }

  #find(connection: number, direction: Direction): number {
    const { connections, byConnection } = this.#index;
    let sentBytes = 0;
    let askedAt = -1;
    let endedAt: number | undefined;
    for (let at = connections.from(connection); at < connections.to(connection); at++) {
      const event = byConnection[at] as number;
      const kind = this.#index.kind(event);
      const isOver = kind === RecordKind.end || kind === RecordKind.reset;
      if (this.#index.direction(event) === direction) {
        if (isOver) return Infinity;
        sentBytes += this.#index.lengthBytes(event);
      } else if (kind === RecordKind.reset) return endedAt ?? sentBytes;
      else if (isOver) endedAt ??= sentBytes === askedAt ? sentBytes + 1 : sentBytes;
      else if (kind === RecordKind.data) askedAt = sentBytes;
    }
    return Infinity;
  }
}
