/**
 * Compares what a live process sends on one connection with the recording. It is pure.
 *
 * While nothing differs, each piece costs one memory comparison. Where bytes differ, the comparison
 * consults the masks (mask-point.ts). Bytes that no mask covers are the first difference of the
 * stream, and the only one that is reported. The comparison merely counts the bytes after it.
 */
import type { Direction } from "../../base/direction.ts";
import type { ReportDifference, StreamName } from "../findings/differences.ts";
import { type Shape, shapeOf, shapeReachBytes } from "../findings/shapes.ts";
import type { Horizon } from "./horizon.ts";
import { lookAtMasks, maskReachBytes } from "./mask-point.ts";
import { type Equivalent, equivalentReachBytes, type Explained, explain } from "./equivalents.ts";
import type { Mask } from "./masks.ts";
import type { ReadPayload, RecordedBytes } from "../../recording/recorded-stream.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** Whether `lengthBytes` of `a` from `aAt` equal those of `b` from `bAt`. */
export type EqualBytes = (
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  lengthBytes: number,
) => boolean;

/** The comparison of what a live process sends in one direction of a connection. */
export interface Comparison {
  /**
   * How far the process has got in the recorded stream, in bytes. The driver notes it in the
   * schedule. Where masked bytes differ in length, it is not the number of live bytes.
   */
  readonly position: number;
  /**
   * How far the process may have got: where a mask covers the next bytes, there may be fewer of
   * them now. Only a pause of the process settles this; then the driver calls {@link foresee}.
   */
  readonly foreseenBytes: number;
  /** Whether the process sent other bytes than recorded. Positions mean little from there on. */
  readonly hasDiffered: boolean;
  /** Takes the next bytes that the process sent. Does not keep a reference to them. */
  push(live: Uint8Array, at: number, lengthBytes: number): void;
  /** Advances the position to {@link foreseenBytes}. */
  foresee(): void;
  /**
   * Reports remaining differences: the process ended the stream or reset the connection, or the run
   * is over. Call it before the schedule learns of the end, so that different bytes are reported
   * before missing ones.
   */
  finish(): void;
  /**
   * Reports a difference that was still collecting context. In a protocol with units, returns the
   * unit that the process has to send next.
   */
  tell(): string | undefined;
}

/** The collaborators that all comparisons of a replay share. */
export interface CompareParts {
  readonly index: RecordingIndex;
  readonly read: ReadPayload;
  readonly report: ReportDifference;
  readonly masks: readonly Mask[];
  /**
   * Whether the peer cut `direction` off in the recording. Then sending more is not a difference.
   */
  readonly isCut: (connection: number, direction: Direction) => boolean;
  /** The number of bytes delivered to the sender of `direction` on this connection. */
  readonly deliveredBytes: (connection: number, direction: Direction) => number;
  /** What a process may send in place of recorded bytes: see chosen-ports.ts. */
  readonly equivalentsFor?: (container: number) => (() => readonly Equivalent[]) | undefined;
  /** A faster comparison than the default, such as Buffer.compare. */
  readonly equal?: EqualBytes;
}

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
  readonly equal?: EqualBytes;
}

/** The size of a report's context: before the difference, and of either version after it. */
const contextBytes = 32;
/** The number of masked places that a report can show before a difference. */
const maskedPlaces = 4;

/**
 * After a piece of at least this size, the comparison does not look ahead for a mask, which takes
 * milliseconds.
 */
const bulkBytes = 0x8000;

/** Compares bytes, each with the one at the same position. */
export class StreamComparison implements Comparison {
  readonly #report: ReportDifference;
  readonly #equal: EqualBytes;
  readonly #name: StreamName;
  readonly #recorded: RecordedBytes;
  readonly #patterns: readonly RegExp[];
  readonly #equivalents: StreamParts["equivalents"];
  readonly #isCut: boolean;
  readonly #horizon: Horizon | undefined;
  /** The offset that the comparison has reached in the recorded stream. */
  #offset = 0;
  #position = 0;
  /**
   * - `telling`: the first difference was found, and its context is being collected.
   * - `beyond`: the process sends more after the point where the peer cut the recorded stream off.
   */
  #state: "equal" | "telling" | "different" | "beyond" = "equal";
  /** Live bytes to look at again when more have come. */
  #held = nothing;
  /** How many of the held bytes count in the position. */
  #countedBytes = 0;
  /** The offset in the recorded stream up to which a mask reaches from here. */
  #maskedTo = 0;
  /** The live bytes just before this point, kept only if there are masks or equivalents. */
  #before = nothing;
  /** Masked places in the recorded stream. */
  #masked: { readonly from: number; readonly to: number }[] = [];
  /** The live bytes from the first difference on. */
  #after = nothing;

  constructor(parts: StreamParts) {
    this.#offset = parts.from ?? 0;
    this.#report = parts.report;
    this.#equal = parts.equal ?? equalByteByByte;
    this.#name = parts.name;
    this.#recorded = parts.recorded;
    this.#patterns = parts.patterns;
    this.#equivalents = parts.equivalents;
    this.#isCut = parts.isCut;
    this.#horizon = parts.horizon;
  }

  get position(): number {
    return Math.max(this.#position, this.#offset);
  }

  get foreseenBytes(): number {
    if (this.#state !== "equal") return this.position;
    return Math.max(this.position, Math.min(this.#maskedTo, this.#horizonBytes));
  }

  get #horizonBytes(): number {
    return this.#horizon?.bytes ?? Infinity;
  }

  foresee(): void {
    this.#position = this.foreseenBytes;
  }

  push(live: Uint8Array, at: number, lengthBytes: number): void {
    if (this.#state === "different") this.#offset += lengthBytes;
    else if (this.#state === "beyond") return;
    else if (this.#state === "telling") this.#tell(live.subarray(at, at + lengthBytes));
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
      if (this.#state === "equal") this.#foreseeMask(nothing, true);
    }
    this.tell();
  }

  get hasDiffered(): boolean {
    return this.#state === "telling" || this.#state === "different";
  }

  tell(): undefined {
    if (this.#state === "telling") this.#tellNow();
  }

  #compare(live: Uint8Array, from: number, to: number, isLast: boolean): void {
    for (let at = from; at < to;) {
      const recorded = this.#recorded.piece(this.#offset, to - at);
      // Where an imported recording lacks bytes, any bytes match.
      const missing = recorded.length === 0 ? this.#recorded.missingBytes(this.#offset) : 0;
      if (missing > 0) {
        const unknown = Math.min(missing, to - at);
        this.#pass(live, at, unknown);
        at += unknown;
        continue;
      }
      const same = this.#sameBytes(recorded, live, at);
      this.#pass(live, at, same);
      at += same;
      if (same === recorded.length && same > 0) continue;
      if (this.#isCut && recorded.length === 0) return this.#goBeyond();
      const masked = this.#mask(live.subarray(at, to), isLast);
      if (masked === undefined) return;
      at += masked;
    }
    // A piece of this size belongs to a long transfer, and the next piece is on its way.
    if (!isLast && to - from < bulkBytes) this.#foreseeMask(nothing, false);
  }

  #goBeyond(): void {
    this.#state = "beyond";
    this.#report({ kind: "beyond-cut", ...this.#name, offset: this.#offset });
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
    if (this.#patterns.length > 0 || this.#equivalents)
      this.#remember(live.subarray(at, at + lengthBytes));
  }

  #remember(live: Uint8Array): void {
    const reachBytes = this.#patterns.length > 0 ? maskReachBytes : equivalentReachBytes;
    const kept = Math.max(0, reachBytes - live.length);
    const before = kept === 0 ? nothing : this.#before.subarray(-kept);
    this.#before = concat(before, live.subarray(-reachBytes));
  }

  /**
   * How many live bytes a mask or an equivalent covers here. Undefined if the bytes are held or are
   * the first difference.
   */
  #mask(after: Uint8Array, isLast: boolean): number | undefined {
    const explained = this.#explain(after);
    if (explained !== undefined) {
      this.#cover(explained.recordedBytes, after.subarray(0, explained.liveBytes));
      return explained.liveBytes;
    }
    const finding = this.#look(after, isLast);
    if (finding.type === "covered") {
      this.#cover(finding.recordedBytes, after.subarray(0, finding.liveBytes));
      return finding.liveBytes;
    }
    if (finding.type === "open") {
      this.#hold(after, finding.recordedBytes);
      return undefined;
    }
    this.#state = "telling";
    this.#tell(after);
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

  #explain(after: Uint8Array): Explained | undefined {
    if (!this.#equivalents || this.#offset >= this.#recorded.lengthBytes) return undefined;
    const point = { before: this.#before, after };
    return explain(this.#equivalents(), this.#recorded, this.#offset, point);
  }

  #look(after: Uint8Array, isLast: boolean): ReturnType<typeof lookAtMasks> {
    if (this.#patterns.length === 0) return { type: "bare" };
    const live = { before: this.#before, after, isLast };
    return lookAtMasks(this.#patterns, this.#recorded, this.#offset, live);
  }

  #cover(recordedBytes: number, live: Uint8Array): void {
    this.#masked.push({ from: this.#offset, to: this.#offset + recordedBytes });
    if (this.#masked.length > maskedPlaces) this.#masked.shift();
    this.#offset += recordedBytes;
    this.#countedBytes = 0;
    this.#remember(live);
  }

  /**
   * A mask may cover the recorded bytes after a pause, because there may simply be fewer of them
   * now. The schedule must not wait for bytes that need not come.
   */
  #foreseeMask(after: Uint8Array, isLast: boolean): void {
    if (this.#patterns.length === 0 || this.#offset >= this.#recorded.lengthBytes) return;
    const finding = this.#look(after, isLast);
    if (finding.type === "bare") return;
    if (isLast && finding.type === "covered") this.#cover(finding.recordedBytes, nothing);
    else this.#reach(finding.recordedBytes);
  }

  #reach(recordedBytes: number): void {
    const to = Math.min(this.#recorded.lengthBytes, this.#offset + recordedBytes);
    this.#maskedTo = Math.max(this.#maskedTo, to);
  }

  /** Collects bytes from the first difference on, until there is enough context to report. */
  #tell(live: Uint8Array): void {
    const missing = contextBytes - this.#after.length;
    this.#after = concat(this.#after, live.subarray(0, missing));
    this.#position = this.#offset + this.#after.length;
    if (this.#after.length < contextBytes) return;
    this.#tellNow();
    this.#offset += live.length - missing;
  }

  #tellNow(): void {
    const offset = this.#offset;
    const live = hex(this.#after);
    const before = this.#hexBefore(offset);
    const recorded = this.#recorded.copy(offset, offset + contextBytes);
    this.#state = "different";
    this.#offset += this.#after.length;
    if (recorded.length === 0)
      this.#report({ kind: "extra-bytes", ...this.#name, offset, before, live });
    else {
      const shape = this.#shapeAt(offset);
      const found = { offset, before, recorded: hex(recorded), live, ...(shape && { shape }) };
      this.#report({ kind: "bytes", ...this.#name, ...found });
    }
  }

  #shapeAt(offset: number): Shape | undefined {
    const before = this.#recorded.copy(offset - shapeReachBytes, offset);
    const recorded = this.#recorded.copy(offset, offset + shapeReachBytes);
    const { process, serverPort } = this.#name;
    return shapeOf({ before, recorded, live: this.#after }, process, serverPort);
  }

  #hexBefore(offset: number): string {
    const from = Math.max(0, offset - contextBytes);
    const isMasked = (at: number): boolean =>
      this.#masked.some((one) => at >= one.from && at < one.to);
    return Array.from(this.#recorded.copy(from, offset), (byte, i) =>
      isMasked(from + i) ? ".." : hexOf(byte),
    ).join("");
  }
}

const nothing: Uint8Array = new Uint8Array(0);

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, hexOf).join("");
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** The default comparison. */
const equalByteByByte: EqualBytes = (a, aAt, b, bAt, lengthBytes) => {
  for (let i = 0; i < lengthBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
};
