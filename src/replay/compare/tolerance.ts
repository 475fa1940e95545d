/**
 * The differences that are allowed in a stream: bytes that a mask covers (mask-point.ts), or that
 * stand for the recorded ones (equivalents.ts). Remembers the live bytes before the current point,
 * which both need.
 */
import { concat } from "../../base/bytes.ts";
import type { RecordedBytes } from "../../recording/recorded-stream.ts";
import { type Equivalent, equivalentReachBytes, explain } from "./equivalents.ts";
import { lookAtMasks, type MaskFinding, maskReachBytes } from "./mask-point.ts";

const bare: MaskFinding = { type: "bare" };
const nothing = new Uint8Array(0);

export class Tolerance {
  readonly #recorded: RecordedBytes;
  readonly #patterns: readonly RegExp[];
  readonly #equivalents: (() => readonly Equivalent[]) | undefined;
  readonly #reachBytes: number;
  /** Empty if neither masks nor equivalents need it. */
  #before: Uint8Array = nothing;

  constructor(
    recorded: RecordedBytes,
    patterns: readonly RegExp[],
    equivalents: (() => readonly Equivalent[]) | undefined,
  ) {
    this.#recorded = recorded;
    this.#patterns = patterns;
    this.#equivalents = equivalents;
    const withoutMasks = equivalents ? equivalentReachBytes : 0;
    this.#reachBytes = patterns.length > 0 ? maskReachBytes : withoutMasks;
  }

  /** The process sent these bytes, and they were equal or allowed. */
  remember(bytes: Uint8Array, from: number, to: number): void {
    if (this.#reachBytes === 0) return;
    const live = bytes.subarray(from, to);
    const kept = Math.max(0, this.#reachBytes - live.length);
    const before = kept === 0 ? nothing : this.#before.subarray(-kept);
    this.#before = concat(before, live.subarray(-this.#reachBytes));
  }

  /** What is allowed at `offset`, where the live bytes `after` differ. */
  at(offset: number, after: Uint8Array, isLast: boolean): MaskFinding {
    if (this.#equivalents && offset < this.#recorded.lengthBytes) {
      const point = { before: this.#before, after };
      const explained = explain(this.#equivalents(), this.#recorded, offset, point);
      if (explained !== undefined) return { type: "covered", ...explained };
    }
    return this.maskAt(offset, after, isLast);
  }

  /** What masks allow at `offset`. */
  maskAt(offset: number, after: Uint8Array, isLast: boolean): MaskFinding {
    if (this.#patterns.length === 0) return bare;
    const live = { before: this.#before, after, isLast };
    return lookAtMasks(this.#patterns, this.#recorded, offset, live);
  }
}
