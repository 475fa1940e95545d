/**
 * Tracks the progress of the live processes, connection by connection: how much of the recording
 * has happened again.
 *
 * A connection has two ends, and the replay may play to live processes at both. So all state is
 * kept per end. All processes of a replay share one Progress.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  type EndId,
  endOf,
  endsUpTo,
  type EventNumber,
} from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { CutStreams } from "./cut-streams.ts";

/** Which cursor plays to an end. */
export const Playing = {
  /** The process's main cursor, in the common order. */
  inOrder: 0,
  /** A cursor of its own. */
  apart: 1,
  /** None: the end was never connected, or it is broken. */
  not: 2,
} as const;
export type Playing = (typeof Playing)[keyof typeof Playing];

/** What the live process at an end has done, as bits. */
export const Done = {
  connected: 1,
  accepted: 2,
  refused: 4,
  ended: 8,
  reset: 16,
  /** It is no longer expected to end, or to reset, the connection. */
  excusedEnd: 32,
  excusedReset: 64,
  /** It opened a connection that is not identified yet, and this one is kept for it. */
  opened: 128,
  /** It has sent something since bytes were last delivered to it. */
  spoke: 256,
  /** Its bytes were given up before it sent any, so it gets no answer to them. */
  silent: 512,
} as const;

/** The patience counts at most this many give-ups of an end. */
const mostGiveUps = 8;

export class Progress {
  readonly cuts: CutStreams;
  #done: Uint16Array;
  #playing: Uint8Array;
  #giveUps: Uint8Array;
  #sent: Float64Array;
  #received: Float64Array;
  #excused: Float64Array;
  /**
   * Ends that were given up and may still come, with the first event that was not played to them.
   */
  readonly #late = new Map<number, number>();
  /** By end. Only ends of connections that are compared by units have one. */
  readonly #awaitedUnits = new Map<number, string>();
  /**
   * Containers whose processes diverged from the recording, or for which the replay waited in vain.
   */
  readonly #departed = new Set<number>();

  /** The highest connection number. */
  #connections: number;

  /** `index` stays whole: each schedule detaches exchanges in an index of its own. */
  constructor(index: RecordingIndex) {
    this.#connections = index.connections.count;
    const ends = endsUpTo(index.connections.count);
    this.cuts = new CutStreams(index);
    this.#done = new Uint16Array(ends);
    this.#playing = new Uint8Array(ends);
    this.#giveUps = new Uint8Array(ends);
    this.#sent = new Float64Array(ends);
    this.#received = new Float64Array(ends);
    this.#excused = new Float64Array(ends);
  }

  /**
   * Notes that the container's process no longer follows the recording, so its own clock means
   * nothing.
   */
  noteDeparture(container: ContainerIndex): void {
    this.#departed.add(container);
  }

  /** The number of containers whose processes have departed. */
  get departures(): number {
    return this.#departed.size;
  }

  hasDeparted(container: ContainerIndex): boolean {
    return this.#departed.has(container);
  }

  /** Reserves a number for an exchange that is to be detached from the connection `origin`. */
  admit(origin: ConnectionNumber): number {
    const connection = ++this.#connections;
    this.cuts.adopt(connection, origin);
    this.#makeRoom(endsUpTo(connection));
    return connection;
  }

  #makeRoom(ends: number): void {
    if (ends <= this.#done.length) return;
    this.#done = grown(this.#done, new Uint16Array(2 * ends));
    this.#playing = grown(this.#playing, new Uint8Array(2 * ends));
    this.#giveUps = grown(this.#giveUps, new Uint8Array(2 * ends));
    this.#sent = grown(this.#sent, new Float64Array(2 * ends));
    this.#received = grown(this.#received, new Float64Array(2 * ends));
    this.#excused = grown(this.#excused, new Float64Array(2 * ends));
  }

  /** Whether the process has done any of `what` ({@link Done}). */
  has(end: EndId, what: number): boolean {
    return ((this.#done[end] as number) & what) !== 0;
  }

  mark(end: EndId, what: number): void {
    this.#done[end] = (this.#done[end] as number) | what;
  }

  /** Unmarks `what`. */
  clear(end: EndId, what: number): void {
    this.#done[end] = (this.#done[end] as number) & ~what;
  }

  playing(end: EndId): Playing {
    return this.#playing[end] as Playing;
  }

  play(end: EndId, how: Playing): void {
    this.#playing[end] = how;
  }

  /** The position in the recorded stream up to which the live process has sent. */
  sentBytes(end: EndId): number {
    return this.#sent[end] as number;
  }

  /** Raises the position. It never decreases. */
  noteSent(end: EndId, totalBytes: number): void {
    if (totalBytes > (this.#sent[end] as number)) this.#sent[end] = totalBytes;
  }

  /** In a protocol with units, the unit that the process has to send next. */
  awaitedUnit(end: EndId): string | undefined {
    return this.#awaitedUnits.get(end);
  }

  noteAwaitedUnit(end: EndId, unit: string | undefined): void {
    if (unit !== undefined) this.#awaitedUnits.set(end, unit);
    else if (this.#awaitedUnits.size > 0) this.#awaitedUnits.delete(end);
  }

  /** The number of bytes delivered to the process. */
  receivedBytes(end: EndId): number {
    return this.#received[end] as number;
  }

  noteReceived(end: EndId, totalBytes: number): void {
    this.#received[end] = totalBytes;
  }

  /**
   * Excuses the bytes that are missing up to `neededBytes`, so that no cursor waits for them again.
   */
  excuseBytes(end: EndId, neededBytes: number): void {
    this.#excused[end] = neededBytes - (this.#sent[end] as number);
  }

  /** How often an act of this end was given up, at most 8. */
  giveUps(end: EndId): number {
    return this.#giveUps[end] as number;
  }

  noteGiveUp(end: EndId): void {
    this.#giveUps[end] = Math.min(mostGiveUps, (this.#giveUps[end] as number) + 1);
  }

  /** Stops playing to the end from `event` on, unless the process comes late. */
  expectLate(end: EndId, event: EventNumber): void {
    this.#playing[end] = Playing.not;
    this.#late.set(end, event);
  }

  /**
   * The live connection turned out to be another one. This one, from `event` on, may still come.
   */
  startOver(end: EndId, event: EventNumber): void {
    this.#done[end] = 0;
    this.#sent[end] = this.#received[end] = this.#excused[end] = 0;
    this.expectLate(end, event);
  }

  /** Whether the end was given up and may still come. */
  isLate(end: EndId): boolean {
    return this.#late.has(end);
  }

  /** The end came, or can no longer come. Returns the first event that was not played to it. */
  takeLate(end: EndId): number | undefined {
    const event = this.#late.get(end);
    this.#late.delete(end);
    return event;
  }

  /** Whether the process that causes `event` (not a packet) has done so, or can no longer do it. */
  isSettled(index: RecordingIndex, event: EventNumber): boolean {
    const end = endOf(index.connection(event), index.direction(event));
    if (this.playing(end) === Playing.not) return true;
    switch (index.kind(event)) {
      case RecordKind.connect:
        return this.has(end, Done.connected | Done.opened);
      case RecordKind.accept:
      case RecordKind.refuse:
        return this.has(end, Done.accepted | Done.refused);
      case RecordKind.data:
        return this.has(end, Done.ended | Done.reset) || this.#hasSent(index, event, end);
      case RecordKind.end:
        return this.has(end, Done.ended | Done.reset | Done.excusedEnd);
      case RecordKind.reset:
        return this.has(end, Done.reset | Done.excusedReset);
      default:
        return true;
    }
  }

  /**
   * Whether the process has sent enough of a stream that its peer cut off, but less than recorded.
   * If it is quiet, it need not send the rest.
   */
  isPastCut(index: RecordingIndex, event: EventNumber): boolean {
    const [connection, direction] = [index.connection(event), index.direction(event)];
    const bytes = index.endOffset(event);
    const leastBytes = this.cuts.leastBytes(connection, direction, bytes);
    return leastBytes < bytes && this.#counted(endOf(connection, direction)) >= leastBytes;
  }

  #hasSent(index: RecordingIndex, event: EventNumber, end: EndId): boolean {
    if (this.#counted(end) >= index.endOffset(event)) return true;
    const isExcused = (this.#excused[end] as number) > 0;
    return isExcused && this.isPastCut(index, event);
  }

  /** The bytes that were sent, or excused. */
  #counted(end: EndId): number {
    return (this.#sent[end] as number) + (this.#excused[end] as number);
  }
}

function grown<T extends Uint8Array | Uint16Array | Float64Array>(values: T, larger: T): T {
  larger.set(values);
  return larger;
}
