/**
 * Compares bytes, each with the one at the same position. It is pure.
 *
 * While nothing differs, each piece costs one memory comparison. Where bytes differ, the comparison
 * asks whether that is allowed (tolerance.ts). Other bytes are the first difference of the stream,
 * and the only one that is reported. It is announced at once, and reported when its context is
 * complete. The comparison merely counts the bytes after it.
 */
import { concat } from "../../base/bytes.ts";
import type { RecordedBytes } from "../../recording/recorded-stream.ts";
import type { ReportDifference, StreamName } from "../findings/differences.ts";
import type { Comparison, EqualBytes } from "./compare.ts";
import type { Equivalent } from "./equivalents.ts";
import { FirstDifference, type MaskedPlace } from "./first-difference.ts";
import type { Horizon } from "./horizon.ts";
import { Tolerance } from "./tolerance.ts";

/** The parts of one comparison of bytes. */
export interface StreamParts {
  readonly name: StreamName;
  readonly recorded: RecordedBytes;
  /** The comparison skips this many bytes of the stream. */
  readonly from?: number;
  readonly patterns: readonly RegExp[];
  /** Substitutes for recorded bytes. The comparison asks for them where bytes differ. */
  readonly equivalents?: (() => readonly Equivalent[]) | undefined;
  readonly isCut: boolean;
  /** Limits how far the process can have got, if that is known. */
  readonly horizon?: Horizon;
  readonly report: ReportDifference;
  /** See {@link CompareParts.announce}. */
  readonly announce?: ReportDifference;
  readonly equal?: EqualBytes;
}

/** The number of masked places that a report can show before a difference. */
const maskedPlaces = 4;

/**
 * After a piece of at least this size, the comparison does not look ahead for a mask, which takes
 * milliseconds.
 */
const bulkBytes = 0x8000;

const nothing: Uint8Array = new Uint8Array(0);

export class StreamComparison implements Comparison {
  readonly awaitedUnit = undefined;
  readonly #parts: StreamParts;
  readonly #equal: EqualBytes;
  readonly #recorded: RecordedBytes;
  readonly #tolerance: Tolerance;
  readonly #hasMasks: boolean;
  /** The offset that the comparison has reached in the recorded stream. */
  #offset = 0;
  #position = 0;
  /**
   * - `collecting`: the first difference was found, and its context is being collected.
   * - `beyond`: the process sends more after the point where the peer cut the recorded stream off.
   */
  #state: "equal" | "collecting" | "different" | "beyond" = "equal";
  #difference: FirstDifference | undefined;
  /** Live bytes to look at again when more have come. */
  #held = nothing;
  /** How many of the held bytes count in the position. */
  #countedBytes = 0;
  /** The offset in the recorded stream up to which a mask reaches from here. */
  #maskedTo = 0;
  /** The last masked places in the recorded stream. */
  readonly #masked: MaskedPlace[] = [];

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#offset = parts.from ?? 0;
    this.#equal = parts.equal ?? equalByteByByte;
    this.#recorded = parts.recorded;
    this.#hasMasks = parts.patterns.length > 0;
    this.#tolerance = new Tolerance(parts.recorded, parts.patterns, parts.equivalents);
  }

  get position(): number {
    return Math.max(this.#position, this.#offset);
  }

  get foreseenBytes(): number {
    if (this.#state !== "equal") return this.position;
    return Math.max(this.position, Math.min(this.#maskedTo, this.#horizonBytes));
  }

  get #horizonBytes(): number {
    return this.#parts.horizon?.bytes ?? Infinity;
  }

  get hasDiffered(): boolean {
    return this.#state === "collecting" || this.#state === "different";
  }

  foresee(): void {
    this.#position = this.foreseenBytes;
  }

  push(live: Uint8Array, at: number, lengthBytes: number): void {
    if (this.#state === "different") this.#offset += lengthBytes;
    else if (this.#state === "beyond") return;
    else if (this.#state === "collecting") this.#collect(live.subarray(at, at + lengthBytes));
    else if (this.#held.length === 0) this.#compare(live, at, at + lengthBytes, false);
    else {
      const all = concat(this.#held, live.subarray(at, at + lengthBytes));
      this.#held = nothing;
      this.#compare(all, 0, all.length, false);
    }
  }

  finish(): void {
    if (this.#state === "equal") {
      const held = this.#held;
      this.#held = nothing;
      this.#compare(held, 0, held.length, true);
      if (this.#state === "equal") this.#foreseeMask(true);
    }
    this.conclude();
  }

  conclude(): void {
    const difference = this.#difference;
    if (this.#state !== "collecting" || !difference) return;
    this.#state = "different";
    this.#offset += difference.liveBytes;
    this.#parts.report(difference.describe());
  }

  #compare(live: Uint8Array, from: number, to: number, isLast: boolean): void {
    for (let at = from; at < to;) {
      const recorded = this.#recorded.piece(this.#offset, to - at);
      const unknown = this.#unknownBytes(recorded, to - at);
      const same = unknown > 0 ? unknown : this.#sameBytes(recorded, live, at);
      this.#pass(live, at, same);
      at += same;
      if (unknown > 0 || (same === recorded.length && same > 0)) continue;
      if (this.#parts.isCut && recorded.length === 0) return this.#goBeyond();
      const allowed = this.#allow(live.subarray(at, to), isLast);
      if (allowed === undefined) return;
      at += allowed;
    }
    // A piece of this size belongs to a long transfer, and the next piece is on its way.
    if (!isLast && to - from < bulkBytes) this.#foreseeMask(false);
  }

  /** How many bytes an imported recording lacks here. Any live bytes match them. */
  #unknownBytes(recorded: Uint8Array, mostBytes: number): number {
    if (recorded.length > 0) return 0;
    return Math.min(this.#recorded.missingBytes(this.#offset), mostBytes);
  }

  #goBeyond(): void {
    this.#state = "beyond";
    this.#parts.report({ kind: "beyond-cut", ...this.#parts.name, offset: this.#offset });
  }

  /** How many bytes are equal from here on. */
  #sameBytes(recorded: Uint8Array, live: Uint8Array, at: number): number {
    const { length } = recorded;
    if (length === 0 || this.#equal(recorded, 0, live, at, length)) return length;
    let same = 0;
    while (recorded[same] === live[at + same]) same++;
    return same;
  }

  /** Moves past equal bytes. */
  #pass(live: Uint8Array, at: number, lengthBytes: number): void {
    this.#offset += lengthBytes;
    this.#tolerance.remember(live, at, at + lengthBytes);
  }

  /**
   * How many live bytes may differ here. Undefined if the bytes are held or are the first
   * difference.
   */
  #allow(after: Uint8Array, isLast: boolean): number | undefined {
    const finding = this.#tolerance.at(this.#offset, after, isLast);
    if (finding.type === "covered") {
      this.#cover(finding.recordedBytes, after.subarray(0, finding.liveBytes));
      return finding.liveBytes;
    }
    if (finding.type === "open") this.#hold(after, finding.recordedBytes);
    else this.#differ(after);
    return undefined;
  }

  /**
   * Holds bytes. Until the end of the mask is known, each live byte counts as one recorded byte.
   * There may be more of them than recorded, but none can answer something that was not delivered
   * yet.
   */
  #hold(after: Uint8Array, recordedBytes: number): void {
    this.#held = after.slice();
    this.#reach(recordedBytes);
    const most = Math.min(
      Math.max(this.#maskedTo, this.#offset + after.length),
      this.#recorded.lengthBytes,
      this.#horizonBytes,
    );
    const counted = this.position + after.length - this.#countedBytes;
    this.#countedBytes = after.length;
    this.#position = Math.max(this.position, Math.min(counted, most));
  }

  #cover(recordedBytes: number, live: Uint8Array): void {
    this.#masked.push({ from: this.#offset, to: this.#offset + recordedBytes });
    if (this.#masked.length > maskedPlaces) this.#masked.shift();
    this.#offset += recordedBytes;
    this.#countedBytes = 0;
    this.#tolerance.remember(live, 0, live.length);
  }

  /**
   * A mask may cover the recorded bytes after a pause, because there may simply be fewer of them
   * now. The schedule must not wait for bytes that need not come.
   */
  #foreseeMask(isLast: boolean): void {
    if (!this.#hasMasks || this.#offset >= this.#recorded.lengthBytes) return;
    const finding = this.#tolerance.maskAt(this.#offset, nothing, isLast);
    if (finding.type === "bare") return;
    if (isLast && finding.type === "covered") this.#cover(finding.recordedBytes, nothing);
    else this.#reach(finding.recordedBytes);
  }

  #reach(recordedBytes: number): void {
    const to = Math.min(this.#recorded.lengthBytes, this.#offset + recordedBytes);
    this.#maskedTo = Math.max(this.#maskedTo, to);
  }

  /** `live` begins with the first difference. */
  #differ(live: Uint8Array): void {
    this.#state = "collecting";
    this.#difference = new FirstDifference(
      this.#parts.name,
      this.#recorded,
      this.#offset,
      this.#masked,
    );
    this.#collect(live);
  }

  /** Collects bytes from the first difference on, until there is enough context to report. */
  #collect(live: Uint8Array): void {
    const difference = this.#difference as FirstDifference;
    const restBytes = difference.add(live);
    this.#position = this.#offset + difference.liveBytes;
    if (!difference.isComplete) return this.#parts.announce?.(difference.describe());
    this.conclude();
    this.#offset += restBytes;
  }
}

/** The default comparison. */
const equalByteByByte: EqualBytes = (a, aAt, b, bAt, lengthBytes) => {
  for (let i = 0; i < lengthBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
};
