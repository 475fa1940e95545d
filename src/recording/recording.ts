/**
 * A whole recording as an index: where each event lies in the file, and what it is. The bytes themselves
 * stay in the file.
 *
 * Events are numbered from 0 in the file's order, which is the order in which the relay saw them. They
 * take 33 bytes each, in segments of shared memory, so that one thread builds the index and another
 * reads it, and nothing is ever copied or grown. See recording-builder.ts for how it is made.
 */
import { Direction } from "../base/direction.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";
import { ConnectionTable, type ConnectionTableStore } from "./connection-table.ts";

/** Events in one segment: a power of two, so that shift and mask find an event. */
export const segmentEvents = 0x8000;
const segmentShift = 15;
const segmentMask = segmentEvents - 1;

/** The columns of a segment, all of them over one SharedArrayBuffer. */
export interface EventSegment {
  /** The kind, and the direction in bit 4. */
  readonly kinds: Uint8Array;
  /** The connection; for a packet the container that sent it. */
  readonly connections: Uint32Array;
  /** Of the payload, in bytes. */
  readonly lengths: Uint32Array;
  /** Where in the file the payload lies, in bytes. */
  readonly positions: Float64Array;
  /** How many bytes of the stream came before; for a packet the container that gets it, or -1. */
  readonly offsets: Float64Array;
  /** Since the run's start, in nanoseconds. */
  readonly times: Float64Array;
}

export const segmentBytes: number = segmentEvents * (3 * 8 + 2 * 4 + 1);

/** The columns over a segment's memory, which has {@link segmentBytes}. */
export function segmentOver(memory: SharedArrayBuffer): EventSegment {
  const n = segmentEvents;
  return {
    positions: new Float64Array(memory, 0, n),
    offsets: new Float64Array(memory, 8 * n, n),
    times: new Float64Array(memory, 16 * n, n),
    connections: new Uint32Array(memory, 24 * n, n),
    lengths: new Uint32Array(memory, 28 * n, n),
    kinds: new Uint8Array(memory, 32 * n, n),
  };
}

/** All of an index as plain data: what goes to another thread, in `workerData` or a message. */
export interface RecordingStore {
  readonly run: RunInfo;
  readonly events: number;
  /** By container: the first event at which the recorder had told its command to stop; Infinity if it did not. */
  readonly stoppedFrom: readonly number[];
  readonly segments: readonly SharedArrayBuffer[];
  readonly connections: ConnectionTableStore;
  /** Event numbers, grouped by connection: see {@link ConnectionTable.from}. */
  readonly byConnection: SharedArrayBuffer;
}

/** Reads an index. Several may read one store. */
export class RecordingIndex {
  readonly run: RunInfo;
  readonly eventCount: number;
  readonly connections: ConnectionTable;
  /**
   * Events of connections (no packets), grouped by connection, each group in order. That of connection c
   * is `connections.from(c)` up to, not including, `connections.to(c)`.
   */
  readonly byConnection: Uint32Array;
  readonly #segments: readonly EventSegment[];
  readonly #stoppedFrom: readonly number[];

  constructor(store: RecordingStore) {
    this.run = store.run;
    this.eventCount = store.events;
    this.connections = new ConnectionTable(store.connections);
    this.byConnection = new Uint32Array(store.byConnection);
    this.#segments = store.segments.map(segmentOver);
    this.#stoppedFrom = store.stoppedFrom;
  }

  kind(event: number): RecordKind {
    return ((this.#segment(event).kinds[event & segmentMask] as number) & 0xf) as RecordKind;
  }

  /** Who did it: `toServer` is the client. Without meaning for a packet. */
  direction(event: number): Direction {
    return ((this.#segment(event).kinds[event & segmentMask] as number) >>> 4) as Direction;
  }

  /** The connection's number, from 1; 0 for a packet. */
  connection(event: number): number {
    if (this.kind(event) === RecordKind.packet) return 0;
    return this.#segment(event).connections[event & segmentMask] as number;
  }

  /** Of the payload: the bytes of a piece of a stream, or the packet from its IP header on. */
  lengthBytes(event: number): number {
    return this.#segment(event).lengths[event & segmentMask] as number;
  }

  /** Where the payload lies in the file. */
  payloadPosition(event: number): number {
    return this.#segment(event).positions[event & segmentMask] as number;
  }

  /** How many bytes of its direction came before. */
  streamOffset(event: number): number {
    return this.#segment(event).offsets[event & segmentMask] as number;
  }

  /** Since the run's start. */
  timeNs(event: number): number {
    return this.#segment(event).times[event & segmentMask] as number;
  }

  /** The acceptance of `connection`; undefined if it was not accepted. */
  acceptOf(connection: number): number | undefined {
    if (this.connections.outcome(connection) !== "accepted") return undefined;
    const { byConnection } = this;
    for (let at = this.connections.from(connection); at < this.connections.to(connection); at++)
      if (this.kind(byConnection[at] as number) === RecordKind.accept) return byConnection[at];
    return undefined;
  }

  /**
   * When a replay is to deliver `event`, since the run's start. A SYN to a server that accepted it is
   * delivered at the time of the acceptance, which may be long after the SYN.
   */
  deliveryNs(event: number): number {
    if (this.kind(event) !== RecordKind.connect) return this.timeNs(event);
    return this.timeNs(this.acceptOf(this.connection(event)) ?? event);
  }

  /**
   * Whether the recorder had told the container's command to stop by then. What it does from then on is
   * the stop's doing, which a replay does not bring about at the same moment.
   */
  wasStopped(container: number, event: number): boolean {
    return event >= (this.#stoppedFrom[container] ?? Infinity);
  }

  /** Whether the recorder told the container's command to stop at all. */
  isStopped(container: number): boolean {
    return (this.#stoppedFrom[container] ?? Infinity) < Infinity;
  }

  /** The container that did it. */
  sender(event: number): number {
    const segment = this.#segment(event);
    const connection = segment.connections[event & segmentMask] as number;
    if (this.kind(event) === RecordKind.packet) return connection;
    return this.connections.endOf(connection, this.direction(event));
  }

  /** The container to which it happens; -1 for a packet to no single one. */
  receiver(event: number): number {
    const segment = this.#segment(event);
    if (this.kind(event) === RecordKind.packet)
      return segment.offsets[event & segmentMask] as number;
    const connection = segment.connections[event & segmentMask] as number;
    const other =
      this.direction(event) === Direction.toServer ? Direction.toClient : Direction.toServer;
    return this.connections.endOf(connection, other);
  }

  #segment(event: number): EventSegment {
    return this.#segments[event >>> segmentShift] as EventSegment;
  }
}
