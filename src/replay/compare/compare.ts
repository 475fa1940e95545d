/**
 * The comparison of what a live process sends on one connection with the recording. It is pure.
 *
 * stream-comparison.ts compares bytes, and unit-comparison.ts the units of a protocol.
 * comparison.ts chooses.
 */
import type { ConnectionNumber, ContainerIndex } from "../../base/ids.ts";
import type { Direction } from "../../base/direction.ts";
import type { ReadPayload } from "../../recording/recorded-stream.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { ReportDifference } from "../findings/differences.ts";
import type { Equivalent } from "./equivalents.ts";
import type { Mask } from "./masks.ts";

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
  /** No more bytes follow here: reports a difference that was still collecting context. */
  conclude(): void;
  /** In a protocol with units, the unit that the process has to send next. */
  readonly awaitedUnit: string | undefined;
}

/** The collaborators that all comparisons of a replay share. */
export interface CompareParts {
  readonly index: RecordingIndex;
  readonly read: ReadPayload;
  readonly report: ReportDifference;
  /**
   * Receives a stream's difference with each byte of its context, before {@link report} receives it
   * for good. So the difference has its place before any later one is found.
   */
  readonly announce?: ReportDifference;
  readonly masks: readonly Mask[];
  /**
   * Whether the peer cut `direction` off in the recording. Then sending more is not a difference.
   */
  readonly isCut: (connection: ConnectionNumber, direction: Direction) => boolean;
  /** The number of bytes delivered to the sender of `direction` on this connection. */
  readonly deliveredBytes: (connection: ConnectionNumber, direction: Direction) => number;
  /** What a process may send in place of recorded bytes: see chosen-ports.ts. */
  readonly equivalentsFor?: (
    container: ContainerIndex,
  ) => (() => readonly Equivalent[]) | undefined;
  /** A faster comparison than the default, such as Buffer.compare. */
  readonly equal?: EqualBytes;
}
