/**
 * Finds streams that the receiver cut off. When its peer closes, resets or dies, a process that is
 * sending gets rid of as many bytes as buffers and timing allow, which differs in every run. So
 * only the bytes before the cut count.
 *
 * A FIN alone cuts nothing, because it may be a half-close before a long answer. A RST does. If the
 * peer closed first, its kernel sends a FIN, and resets the connection when more bytes come (RFC
 * 9293, 3.6.1). The FIN is then the cut. If the peer still expected an answer, at least the
 * answer's first byte counts.
 *
 * A FIN may also be a half-close, after which the peer goes on reading and resets the connection
 * much later; the recording does not tell. So the process may send what it sent then, until it
 * falls quiet.
 */
import { type ConnectionNumber, type EndId, endOf } from "../../base/ids.ts";
import { type Direction, opposite } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** The offsets in recorded streams at which their receivers cut them off. */
export class CutStreams {
  readonly #index: RecordingIndex;
  /** Filled on demand. */
  readonly #offsets = new Map<EndId, number>();
  readonly #origins = new Map<ConnectionNumber, ConnectionNumber>();

  constructor(index: RecordingIndex) {
    this.#index = index;
  }

  /** Notes that `connection` is an exchange detached from `origin`, and shares its offsets. */
  adopt(connection: ConnectionNumber, origin: ConnectionNumber): void {
    this.#origins.set(connection, origin);
  }

  /** The number of bytes after which `direction` was cut off; Infinity if it was not. */
  offset(number: ConnectionNumber, direction: Direction): number {
    const connection = this.#origins.get(number) ?? number;
    if (!this.#index.connections.hasReset(connection, opposite(direction))) return Infinity;
    const key = endOf(connection, direction);
    let offset = this.#offsets.get(key);
    if (offset === undefined) {
      offset = this.#find(connection, direction);
      this.#offsets.set(key, offset);
    }
    return offset;
  }

  isCut(connection: ConnectionNumber, direction: Direction): boolean {
    return this.offset(connection, direction) < Infinity;
  }

  /**
   * How many of the first `bytes` of a stream are enough once the process is quiet. After a FIN it
   * takes one byte to make the peer's kernel reset the connection.
   */
  leastBytes(connection: ConnectionNumber, direction: Direction, bytes: number): number {
    return Math.min(bytes, this.offset(connection, direction) + 1);
  }

  #find(connection: ConnectionNumber, direction: Direction): number {
    const { connections, byConnection } = this.#index;
    let sentBytes = 0;
    let askedAt: number | undefined;
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
