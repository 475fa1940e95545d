/** The first difference of a stream, while its context is being collected. */
import { concat, hex, hexOf } from "../../base/bytes.ts";
import type { RecordedBytes } from "../../recording/recorded-stream.ts";
import type { Difference, StreamName } from "../findings/differences.ts";
import { type Shape, shapeOf, shapeReachBytes } from "../findings/shapes.ts";

/** The size of the context: before the difference, and of either version after it. */
const contextBytes = 32;

/** A place in the recorded stream where bytes may differ. */
export interface MaskedPlace {
  readonly from: number;
  readonly to: number;
}

export class FirstDifference {
  /** Where it is, in the recorded stream. */
  readonly offset: number;
  readonly #name: StreamName;
  readonly #recorded: RecordedBytes;
  readonly #masked: readonly MaskedPlace[];
  /** The live bytes from the difference on. */
  #live: Uint8Array = new Uint8Array(0);

  constructor(
    name: StreamName,
    recorded: RecordedBytes,
    offset: number,
    masked: readonly MaskedPlace[],
  ) {
    this.#name = name;
    this.#recorded = recorded;
    this.offset = offset;
    this.#masked = masked;
  }

  /** How many live bytes the context has so far. */
  get liveBytes(): number {
    return this.#live.length;
  }

  get isComplete(): boolean {
    return this.#live.length >= contextBytes;
  }

  /** Adds live bytes to the context. Returns how many of them it does not need. */
  add(live: Uint8Array): number {
    const missing = contextBytes - this.#live.length;
    this.#live = concat(this.#live, live.subarray(0, missing));
    return Math.max(0, live.length - missing);
  }

  /** The difference, with the context that it has so far. */
  describe(): Difference {
    const { offset } = this;
    const before = this.#hexBefore();
    const live = hex(this.#live);
    const recorded = this.#recorded.copy(offset, offset + contextBytes);
    if (recorded.length === 0) return { kind: "extra-bytes", ...this.#name, offset, before, live };
    const shape = this.#shape();
    const found = { offset, before, recorded: hex(recorded), live, ...(shape && { shape }) };
    return { kind: "bytes", ...this.#name, ...found };
  }

  #shape(): Shape | undefined {
    const { offset } = this;
    const before = this.#recorded.copy(offset - shapeReachBytes, offset);
    const recorded = this.#recorded.copy(offset, offset + shapeReachBytes);
    const { process, serverPort } = this.#name;
    return shapeOf({ before, recorded, live: this.#live }, process, serverPort);
  }

  #hexBefore(): string {
    const from = Math.max(0, this.offset - contextBytes);
    const isMasked = (at: number): boolean =>
      this.#masked.some((one) => at >= one.from && at < one.to);
    return Array.from(this.#recorded.copy(from, this.offset), (byte, i) =>
      isMasked(from + i) ? ".." : hexOf(byte),
    ).join("");
  }
}
