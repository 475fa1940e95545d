/**
 * Compares what a live process sends on one connection with what it sent in the recording: pure.
 *
 * As long as nothing differs that is one comparison of memory for each piece. Where bytes differ the masks
 * are asked (mask-point.ts); what they do not cover is the first difference of the stream, and the only
 * one that is told: what comes after it is counted.
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

/** Whether `lengthBytes` of `a` from `aAt` are those of `b` from `bAt`. */
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
   * How far the process has got in the recorded stream, in bytes: this is what the schedule is to be
   * told. Where masked bytes differ in length it is not the number of live bytes.
   */
  readonly position: number;
  /**
   * How far it may have got: where a mask covers what comes next, its bytes may be fewer now. Whether
   * they are shows only when the process has fallen quiet; then {@link foresee} is called.
   */
  readonly foreseenBytes: number;
  /** Whether other bytes than recorded came: from there on positions mean little. */
  readonly hasDiffered: boolean;
  /** Takes the next bytes that the process sent, and does not keep them. */
  push(live: Uint8Array, at: number, lengthBytes: number): void;
  /** From now on the position is {@link foreseenBytes}. */
  foresee(): void;
  /**
   * The process ended the stream or reset the connection, or the run is over. Reports what is known. To be
   * called before the schedule is told of the end, so that other bytes are reported before missing ones.
   */
  finish(): void;
  /**
   * Reports a difference of which more context was still awaited. Returns the unit that the process
   * has to send next, where the protocol has units.
   */
  tell(): string | undefined;
}

/** What the comparisons of one replay share. */
export interface CompareParts {
  readonly index: RecordingIndex;
  readonly read: ReadPayload;
  readonly report: ReportDifference;
  readonly masks: readonly Mask[];
  /** Whether the peer cut `direction` off in the recording: then going on is no difference. */
  readonly isCut: (connection: number, direction: Direction) => boolean;
  /** How much was delivered to the sender of `direction` on this connection. */
  readonly deliveredBytes: (connection: number, direction: Direction) => number;
  /** What a process may send instead of what it sent in the recording: see chosen-ports.ts. */
  readonly equivalentsFor?: (container: number) => (() => readonly Equivalent[]) | undefined;
  /** A faster one than the default, such as Buffer.compare. */
  readonly equal?: EqualBytes;
}

/** What one comparison of bytes consists of. */
export interface StreamParts {
  readonly name: StreamName;
  readonly recorded: RecordedBytes;
  /** How many bytes of the stream are not compared. */
  readonly from?: number;
  readonly patterns: readonly RegExp[];
  /** Asked where bytes differ: what may stand for the same thing. */
  readonly equivalents?: (() => readonly Equivalent[]) | undefined;
  readonly isCut: boolean;
  /** How far the process can have got, if that is known. */
  readonly horizon?: Horizon;
  readonly report: ReportDifference;
  readonly equal?: EqualBytes;
}

/** How many bytes of a difference are told: before it, and of either from it on. */
const contextBytes = 32;
/** How many masked places are remembered, to be shown as such before a difference. */
const maskedPlaces = 4;

/** After less than this it is looked whether a mask covers what was recorded next: that takes milliseconds. */
const bulkBytes = 0x8000;

/** The comparison of bytes, each with the one at its place. */
export class StreamComparison implements Comparison {
  readonly #report: ReportDifference;
  readonly #equal: EqualBytes;
  readonly #name: StreamName;
  readonly #recorded: RecordedBytes;
  readonly #patterns: readonly RegExp[];
  readonly #equivalents: StreamParts["equivalents"];
  readonly #isCut: boolean;
  readonly #horizon: Horizon | undefined;
  /** How far the recorded stream is behind. */
  #offset = 0;
  #position = 0;
  /**
   * `telling`: the first difference was found, and what the process goes on with is collected.
   * `beyond`: the process goes on where the peer cut the recorded stream off.
   */
  #state: "equal" | "telling" | "different" | "beyond" = "equal";
  /** Live bytes that are looked at again when more of them have come. */
  #held = nothing;
  /** How many of them count in the position. */
  #countedBytes = 0;
  /** How far in the recorded stream a mask reaches from here. */
  #maskedTo = 0;
  /** If there are masks: the live bytes just behind. */
  #before = nothing;
  /** Places in the recorded stream. */
  #masked: { readonly from: number; readonly to: number }[] = [];
  /** From the first difference on. */
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
      // Bytes that an imported recording lacks may be any.
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
    // So much at once is a piece of a long transfer, and the next one is on its way.
    if (!isLast && to - from < bulkBytes) this.#foreseeMask(nothing, false);
  }

  #goBeyond(): void {
    this.#state = "beyond";
    this.#report({ kind: "beyond-cut", ...this.#name, offset: this.#offset });
  }

  /** How many bytes are the same from here on. */
  #sameBytes(recorded: Uint8Array, live: Uint8Array, at: number): number {
    const { length } = recorded;
    if (length === 0 || this.#equal(recorded, 0, live, at, length)) return length;
    let same = 0;
    while (recorded[same] === live[at + same]) same++;
    return same;
  }

  /** The same bytes in both. */
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

  /** How many live bytes a mask covers here; undefined if they are held, or are the first difference. */
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
   * Until it shows where a mask ends, bytes count one for one. They may be more now than they were,
   * but what would answer something that was not delivered yet has not come.
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
   * Where the process paused, a mask may cover what was recorded next: its masked bytes may simply be
   * fewer now. The schedule must not wait for bytes that need not come.
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

  /** Collects what comes from the first difference on, until there is enough to show. */
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

/** What is compared if no faster way is given. */
const equalByteByByte: EqualBytes = (a, aAt, b, bAt, lengthBytes) => {
  for (let i = 0; i < lengthBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
};
