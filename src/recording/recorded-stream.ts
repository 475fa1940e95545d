/** One direction of a recorded connection, read from the file on demand. */
import type { ConnectionNumber, EventNumber } from "../base/ids.ts";
import type { Direction } from "../base/direction.ts";
import { RecordKind } from "../dump/format/schema.ts";
import type { RecordingIndex } from "./recording.ts";

/**
 * Reads `lengthBytes` (at most a record's payload) of the file from `position`. The result has
 * exactly that length and is valid until the next call.
 */
export type ReadPayload = (position: number, lengthBytes: number) => Uint8Array;

/** Recorded bytes that are compared with live ones. */
export interface RecordedBytes {
  /** How many there are. */
  readonly lengthBytes: number;
  /**
   * Up to `mostBytes` from `offset`: as much as lies together. Empty at the end. Good until the
   * next call.
   */
  piece(offset: number, mostBytes: number): Uint8Array;
  /** How many bytes from `offset` on the recording lacks; 0 if it has the next one. */
  missingBytes(offset: number): number;
  /** A copy of `from` to `to`, or as much of that as there is. Missing bytes are zeros. */
  copy(from: number, to: number): Uint8Array;
}

export class RecordedStream implements RecordedBytes {
  /** The length of the stream in bytes. */
  readonly lengthBytes: number;
  readonly #index: RecordingIndex;
  readonly #read: ReadPayload;
  readonly #direction: Direction;
  readonly #from: number;
  readonly #to: number;
  /** The last piece's position in the index's `byConnection`; usually the next one follows it. */
  #at: number;

  /** All of it, or what lies between two places of {@link RecordingIndex.byConnection}. */
  constructor(
    index: RecordingIndex,
    read: ReadPayload,
    connection: ConnectionNumber,
    direction: Direction,
    { from, to }: { from: number; to: number } = {
      from: index.connections.from(connection),
      to: index.connections.to(connection),
    },
  ) {
    this.lengthBytes = index.connections.bytes(connection, direction);
    this.#index = index;
    this.#read = read;
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#at = this.#from;
  }

  /**
   * Up to `mostBytes` from `offset`, as far as they are contiguous in the file; empty at the end.
   * Valid until the next call. Sequential reading is fast.
   */
  piece(offset: number, mostBytes: number): Uint8Array {
    const event = this.#eventAt(offset);
    if (event === undefined) return nothing;
    const skip = offset - this.#index.streamOffset(event);
    if (skip < 0) return nothing;
    const lengthBytes = Math.min(mostBytes, this.#index.lengthBytes(event) - skip);
    return this.#read(this.#index.payloadPosition(event) + skip, lengthBytes);
  }

  missingBytes(offset: number): number {
    if (offset >= this.lengthBytes) return 0;
    const event = this.#eventAt(offset);
    // What is missing at the end has no piece behind it.
    const next = event === undefined ? this.lengthBytes : this.#index.streamOffset(event);
    return Math.max(0, next - offset);
  }

  /** A copy of bytes `from` to `to` (exclusive), or as many as exist. */
  copy(from: number, to: number): Uint8Array {
    const start = Math.max(0, from);
    const copy = new Uint8Array(Math.max(0, Math.min(to, this.lengthBytes) - start));
    for (let done = 0; done < copy.length;) {
      const piece = this.piece(start + done, copy.length - done);
      copy.set(piece, done);
      done += piece.length > 0 ? piece.length : this.missingBytes(start + done);
    }
    return copy;
  }

  #eventAt(offset: number): number | undefined {
    if (offset >= this.lengthBytes) return undefined;
    // Only reports of differences read backwards.
    while (this.#at > this.#from && this.#offsetHere() > offset) this.#at--;
    for (; this.#at < this.#to; this.#at++) {
      const event = this.#index.byConnection[this.#at] as number;
      if (!this.#isPiece(event)) continue;
      if (this.#index.streamOffset(event) + this.#index.lengthBytes(event) > offset) return event;
    }
    return undefined;
  }

  /**
   * Where the piece here begins; for what is no piece of this direction, nowhere before the first.
   */
  #offsetHere(): number {
    const event = this.#index.byConnection[this.#at] as number;
    return this.#isPiece(event) ? this.#index.streamOffset(event) : Infinity;
  }

  #isPiece(event: EventNumber): boolean {
    return (
      this.#index.kind(event) === RecordKind.data &&
      this.#index.direction(event) === this.#direction
    );
  }
}

const nothing = new Uint8Array(0);
