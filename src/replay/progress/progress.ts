/**
 * How far the live processes have got, connection by connection: what has happened now of what had
 * happened then.
 *
 * A connection has two ends, and either may be a live process that is played to on its own. So
 * everything is kept by end: its number is 2 * connection + the direction that it sends in. One
 * Progress serves all processes of a replay.
 */
import type { Direction } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { CutStreams } from "./cut-streams.ts";

/** The number of the end of `connection` that sends in `direction`. */
export function endOf(connection: number, direction: Direction): number {
  return 2 * connection + direction;
}

/** Who plays to an end. */
export const Playing = {
  /** The process's common order. */
  inOrder: 0,
  /** A connection cursor of its own. */
  apart: 1,
  /** Nobody: it was never connected, or it is broken. */
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
  /** It opened a connection that is not identified yet; this one is kept for that. */
  opened: 128,
  /** It has sent something since bytes were last delivered to it. */
  spoke: 256,
  /** Its bytes were given up before it sent any: it gets no answer to them. */
  silent: 512,
} as const;

/** Of how many times something was given up the patience takes notice. */
const mostGiveUps = 8;

export class Progress {
  readonly cuts: CutStreams;
  #done: Uint16Array;
  #playing: Uint8Array;
  #giveUps: Uint8Array;
  #sent: Float64Array;
  #received: Float64Array;
  #excused: Float64Array;
  /** Ends that were given up and may still come, with the first event that was not played to them. */
  readonly #late = new Map<number, number>();
  /** Containers whose processes did otherwise than recorded, or were waited for in vain. */
  readonly #departed = new Set<number>();

  /** The highest number of a connection. */
  #connections: number;

  constructor(index: RecordingIndex) {
    this.#connections = index.connections.count;
    const ends = 2 * (index.connections.count + 1);
    this.cuts = new CutStreams(index);
    this.#done = new Uint16Array(ends);
    this.#playing = new Uint8Array(ends);
    this.#giveUps = new Uint8Array(ends);
    this.#sent = new Float64Array(ends);
    this.#received = new Float64Array(ends);
    this.#excused = new Float64Array(ends);
  }

  /** The container's process does not follow the recording: its own clock tells nothing any more. */
  noteDeparture(container: number): void {
    this.#departed.add(container);
  }

  /** How many have departed. */
  get departures(): number {
    return this.#departed.size;
  }

  hasDeparted(container: number): boolean {
    return this.#departed.has(container);
  }

  /** Returns a number for an exchange that is to be detached from the connection `origin`. */
  admit(origin: number): number {
    const connection = ++this.#connections;
    this.cuts.adopt(connection, origin);
    this.#makeRoom(2 * (connection + 1));
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

  /** Whether any of `what` ({@link Done}) was done. */
  has(end: number, what: number): boolean {
    return ((this.#done[end] as number) & what) !== 0;
  }

  mark(end: number, what: number): void {
    this.#done[end] = (this.#done[end] as number) | what;
  }

  /** Takes back that `what` was done. */
  clear(end: number, what: number): void {
    this.#done[end] = (this.#done[end] as number) & ~what;
  }

  playing(end: number): Playing {
    return this.#playing[end] as Playing;
  }

  play(end: number, how: Playing): void {
    this.#playing[end] = how;
  }

  /** Bytes that the live process has sent, in terms of the recorded stream. */
  sentBytes(end: number): number {
    return this.#sent[end] as number;
  }

  /** It never goes back. */
  noteSent(end: number, totalBytes: number): void {
    if (totalBytes > (this.#sent[end] as number)) this.#sent[end] = totalBytes;
  }

  /** Bytes that were delivered to it. */
  receivedBytes(end: number): number {
    return this.#received[end] as number;
  }

  noteReceived(end: number, totalBytes: number): void {
    this.#received[end] = totalBytes;
  }

  /** What is missing of `neededBytes` will not be waited for again. */
  excuseBytes(end: number, neededBytes: number): void {
    this.#excused[end] = neededBytes - (this.#sent[end] as number);
  }

  /** How often something was given up that this end should have done: 8 at most. */
  giveUps(end: number): number {
    return this.#giveUps[end] as number;
  }

  noteGiveUp(end: number): void {
    this.#giveUps[end] = Math.min(mostGiveUps, (this.#giveUps[end] as number) + 1);
  }

  /** Nothing is played to the end from `event` on, unless it comes late. */
  expectLate(end: number, event: number): void {
    this.#playing[end] = Playing.not;
    this.#late.set(end, event);
  }

  /** Whether the end was given up and may still come. */
  isLate(end: number): boolean {
    return this.#late.has(end);
  }

  /** It came, or cannot come any more: returns the first event that was not played to it. */
  takeLate(end: number): number | undefined {
    const event = this.#late.get(end);
    this.#late.delete(end);
    return event;
  }

  /** Whether the process has done what `event` (by it, no packet) says, or can no longer do it. */
  isSettled(index: RecordingIndex, event: number): boolean {
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

  #hasSent(index: RecordingIndex, event: number, end: number): boolean {
    const awaited = this.cuts.awaitedBytes(
      index.connection(event),
      index.direction(event),
      index.streamOffset(event) + index.lengthBytes(event),
    );
    return (this.#sent[end] as number) + (this.#excused[end] as number) >= awaited;
  }
}

function grown<T extends Uint8Array | Uint16Array | Float64Array>(values: T, larger: T): T {
  larger.set(values);
  return larger;
}
