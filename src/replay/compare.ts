/**
 * Compares what a live process sends on one connection with what it sent in the recording: pure.
 */
import type { Direction } from "../dump/schema.ts";
import type { ReportDifference } from "./differences.ts";
import type { Mask } from "./masks.ts";
import type { RecordingIndex } from "./recording.ts";

/**
 * Reads `lengthBytes` (at most a record's payload) of the file from `position`. The result has exactly
 * that length, and is good until the next call.
 */
export type ReadPayload = (position: number, lengthBytes: number) => Uint8Array;

/** Whether `lengthBytes` of `a` from `aAt` are those of `b` from `bAt`. */
export type EqualBytes = (
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  lengthBytes: number,
) => boolean;

/** What the comparisons of one replay share. */
export interface CompareParts {
  readonly index: RecordingIndex;
  readonly read: ReadPayload;
  readonly report: ReportDifference;
  readonly masks: readonly Mask[];
  /** A faster one than the default, such as Buffer.compare. */
  readonly equal?: EqualBytes;
}

/** The comparison of one direction of one connection. */
export class StreamComparison {
  constructor(_parts: CompareParts, _connection: number, _direction: Direction) {}

  /**
   * How far the live process has got in the recorded stream, in bytes: this is what the schedule is to
   * be told. Where masked bytes differ in length it is not the number of live bytes.
   */
  get position(): number {
    return 0;
  }

  /** Takes the next bytes that the process sent. They are not kept unless a mask is being looked at. */
  push(_live: Uint8Array, _at: number, _lengthBytes: number): void {}

  /**
   * The process ended the stream or reset the connection, or the run is over. Reports what is known. To be
   * called before the schedule is told of the end, so that other bytes are reported before missing ones.
   */
  finish(): void {}
}
