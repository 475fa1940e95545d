/**
 * Limits how far a process can have got in a recorded stream. It is pure. A process cannot have
 * sent the answer to something that was not delivered to it yet.
 */
import type { ConnectionNumber } from "../../base/ids.ts";
import type { Direction } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class Horizon {
  readonly #index: RecordingIndex;
  readonly #direction: Direction;
  readonly #deliveredBytes: () => number;
  readonly #to: number;
  #at: number;
  #bytes = 0;

  /**
   * `deliveredBytes`: how much of the other direction has been delivered by now. It never
   * decreases.
   */
  constructor(
    index: RecordingIndex,
    connection: ConnectionNumber,
    direction: Direction,
    deliveredBytes: () => number,
  ) {
    this.#index = index;
    this.#direction = direction;
    this.#deliveredBytes = deliveredBytes;
    this.#at = index.connections.from(connection);
    this.#to = index.connections.to(connection);
  }

  /** The current limit, in bytes of the direction. */
  get bytes(): number {
    const delivered = this.#deliveredBytes();
    for (; this.#at < this.#to; this.#at++) {
      const event = this.#index.byConnection[this.#at] as number;
      if (this.#index.kind(event) !== RecordKind.data) continue;
      const endOffset = this.#index.endOffset(event);
      if (this.#index.direction(event) === this.#direction) this.#bytes = endOffset;
      else if (endOffset > delivered) break;
    }
    return this.#bytes;
  }
}
