/**
 * The index of a recording: each event's kind and its position in the file. The bytes stay in the
 * file.
 *
 * Events are numbered from 0 in the file's order, which is the order in which the relay saw them.
 * They take 33 bytes each, in segments of shared memory, so that one thread builds the index and
 * another reads it, and nothing is ever copied or grown. See recording-builder.ts for how it is
 * made.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  type EventNumber,
  noConnection,
} from "../base/ids.ts";
import { Direction, opposite } from "../base/direction.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";
import type { Flow } from "./flows.ts";
import {
  ConnectionTable,
  type ConnectionTableStore,
  type Extent,
  Fact,
  factOf,
} from "./connection-table.ts";

/** Events that {@link RecordingIndex.detach} took out of a connection: the numbers of both ends. */
interface Detached {
  readonly number: ConnectionNumber;
  readonly first: EventNumber;
  readonly last: EventNumber;
}

/** Events in one segment: a power of two, so that shift and mask find an event. */
export const segmentEvents = 0x8000;
const segmentShift = 15;
const segmentMask = segmentEvents - 1;

/** The columns of a segment, all of them over one SharedArrayBuffer. */
export interface EventSegment {
  /** The kind, and the direction in bit 4. */
  readonly kinds: Uint8Array;
  /** The connection; for a packet its flow. */
  readonly connections: Uint32Array;
  /** The payload's length in bytes. */
  readonly lengths: Uint32Array;
  /** The payload's offset in the file, in bytes. */
  readonly positions: Float64Array;
  /** The event's offset in its stream; for a packet the receiving container. */
  readonly offsets: Float64Array;
  /** Nanoseconds since the run's start. */
  readonly times: Float64Array;
}

export const segmentBytes: number = segmentEvents * (3 * 8 + 2 * 4 + 1);

/** Lays the columns over a segment's memory of {@link segmentBytes}. */
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

/** An index as plain data, to be passed to another thread in `workerData` or a message. */
export interface RecordingStore {
  readonly run: RunInfo;
  readonly events: number;
  /**
   * By container: the first event after the recorder stopped its command; Infinity if it did not.
   */
  readonly stoppedFrom: readonly number[];
  /** By container: how long its command ran of its own accord, in nanoseconds. */
  readonly lastedNs: readonly number[];
  readonly segments: readonly SharedArrayBuffer[];
  readonly flows: readonly Flow[];
  readonly connections: ConnectionTableStore;
  /** Event numbers, grouped by connection: see {@link ConnectionTable.from}. */
  readonly byConnection: SharedArrayBuffer;
}

/** Reads an index. Several readers may share one store. */
export class RecordingIndex {
  readonly run: RunInfo;
  readonly eventCount: number;
  readonly connections: ConnectionTable;
  /**
   * The events of connections (not packets), grouped by connection, each group in order. Connection
   * c has the range from `connections.from(c)` to `connections.to(c)` (exclusive).
   */
  readonly byConnection: Uint32Array;
  readonly #store: RecordingStore;
  /** Flows of packets that are not TCP, by number. */
  readonly flows: readonly Flow[];
  readonly #segments: readonly EventSegment[];
  readonly #stoppedFrom: readonly number[];
  readonly #lastedNs: readonly number[];
  /** By the connection that they were taken out of. */
  readonly #detached = new Map<number, Detached[]>();

  constructor(store: RecordingStore) {
    this.#store = store;
    this.run = store.run;
    this.eventCount = store.events;
    this.connections = new ConnectionTable(store.connections);
    this.byConnection = new Uint32Array(store.byConnection);
    this.#segments = store.segments.map(segmentOver);
    this.flows = store.flows;
    this.#stoppedFrom = store.stoppedFrom;
    this.#lastedNs = store.lastedNs;
  }

  kind(event: EventNumber): RecordKind {
    return ((this.#segment(event).kinds[event & segmentMask] as number) & 0xf) as RecordKind;
  }

  /** The side that caused it: `toServer` means the client. Meaningless for a packet. */
  direction(event: EventNumber): Direction {
    return ((this.#segment(event).kinds[event & segmentMask] as number) >>> 4) as Direction;
  }

  /** {@link noConnection} for a packet. */
  connection(event: EventNumber): ConnectionNumber {
    if (this.kind(event) === RecordKind.packet) return noConnection;
    const connection = this.#segment(event).connections[event & segmentMask] as number;
    if (this.#detached.size === 0) return connection;
    const parts = this.#detached.get(connection);
    const part = parts?.[lastUpTo(parts, event)];
    return part !== undefined && event <= part.last ? part.number : connection;
  }

  /** Another index of the same recording: what is detached from it stays attached here. */
  another(): RecordingIndex {
    return new RecordingIndex(this.#store);
  }

  /**
   * Takes the events at `from` up to `to` of {@link byConnection}, all of one recorded connection,
   * out of it. From now on they count as a connection of their own, with this `number`.
   */
  detach(number: ConnectionNumber, from: number, to: number): void {
    const first = this.byConnection[from] as number;
    const last = this.byConnection[to - 1] as number;
    const origin = this.connection(first);
    const parts = this.#detached.get(origin) ?? [];
    const extent = this.#extentOf(from, to);
    const { connections } = this;
    connections.detach(number, { origin, from, to }, extent, this.#left(origin, from, extent));
    parts.splice(lastUpTo(parts, first) + 1, 0, { number, first, last });
    this.#detached.set(origin, parts);
  }

  #extentOf(from: number, to: number): Extent {
    const bytes: [number, number] = [0, 0];
    let facts: number = Fact.accepted;
    for (let place = from; place < to; place++) {
      const event = this.byConnection[place] as number;
      const direction = this.direction(event);
      facts |= factOf(this.kind(event), direction);
      bytes[direction] = Math.max(bytes[direction], this.#endOffset(event));
    }
    return { bytes, facts };
  }

  /** What is left of a connection without the part that begins at `from`. */
  #left(origin: ConnectionNumber, from: number, part: Extent): Extent {
    const { connections } = this;
    const bytes: [number, number] = [connections.bytes(origin, 0), connections.bytes(origin, 1)];
    for (const direction of [Direction.toServer, Direction.toClient]) {
      if (part.bytes[direction] !== bytes[direction]) continue;
      bytes[direction] = 0;
      for (let place = from - 1; place >= connections.from(origin); place--) {
        const event = this.byConnection[place] as number;
        const isLeft = this.connection(event) === origin && this.direction(event) === direction;
        if (!isLeft || this.kind(event) !== RecordKind.data) continue;
        bytes[direction] = this.#endOffset(event);
        break;
      }
    }
    const gone = part.facts & ~Fact.accepted;
    return { bytes, facts: connections.facts(origin) & ~gone };
  }

  /** After the event: the bytes of its direction that are behind; 0 if it is no data. */
  #endOffset(event: EventNumber): number {
    if (this.kind(event) !== RecordKind.data) return 0;
    return this.streamOffset(event) + this.lengthBytes(event);
  }

  /** The payload's length: a piece of a stream, or a packet from its IP header on. */
  lengthBytes(event: EventNumber): number {
    return this.#segment(event).lengths[event & segmentMask] as number;
  }

  /** The payload's offset in the file. */
  payloadPosition(event: EventNumber): number {
    return this.#segment(event).positions[event & segmentMask] as number;
  }

  /** The event's offset in its stream. */
  streamOffset(event: EventNumber): number {
    return this.#segment(event).offsets[event & segmentMask] as number;
  }

  /** How many bytes of its direction have come with it. */
  endOffset(event: EventNumber): number {
    return this.streamOffset(event) + this.lengthBytes(event);
  }

  /** Nanoseconds since the run's start. */
  timeNs(event: EventNumber): number {
    return this.#segment(event).times[event & segmentMask] as number;
  }

  /** The acceptance of `connection`; undefined if it was not accepted. */
  acceptOf(connection: ConnectionNumber): EventNumber | undefined {
    if (this.connections.outcome(connection) !== "accepted") return undefined;
    const { byConnection } = this;
    for (let at = this.connections.from(connection); at < this.connections.to(connection); at++)
      if (this.kind(byConnection[at] as number) === RecordKind.accept) return byConnection[at];
    return undefined;
  }

  /**
   * The recorded time at which a replay delivers `event`. A SYN that the server accepted is
   * delivered at the time of the acceptance, which may be long after the SYN.
   */
  deliveryNs(event: EventNumber): number {
    if (this.kind(event) !== RecordKind.connect) return this.timeNs(event);
    return this.timeNs(this.acceptOf(this.connection(event)) ?? event);
  }

  /**
   * Whether the recorder had stopped the container's command before `event`. Later events are
   * effects of the stop, which a replay does not cause at the same moment.
   */
  wasStopped(container: ContainerIndex, event: EventNumber): boolean {
    return event >= (this.#stoppedFrom[container] ?? Infinity);
  }

  /** Whether the recorder stopped the container's command. */
  isStopped(container: ContainerIndex): boolean {
    return (this.#stoppedFrom[container] ?? Infinity) < Infinity;
  }

  /** How long the container's command ran until it exited or was stopped. */
  lastedNs(container: ContainerIndex): number {
    return this.#lastedNs[container] ?? 0;
  }

  /** The container that caused it. */
  sender(event: EventNumber): ContainerIndex {
    const segment = this.#segment(event);
    const connection = segment.connections[event & segmentMask] as number;
    if (this.kind(event) === RecordKind.packet) return (this.flows[connection] as Flow).sender;
    return this.connections.sender(connection, this.direction(event));
  }

  /** The number of a packet's flow in {@link RecordingIndex.flows}. */
  flow(event: EventNumber): number {
    return this.#segment(event).connections[event & segmentMask] as number;
  }

  /** The container to which it happens. For a packet it may be {@link everyone}. */
  receiver(event: EventNumber): ContainerIndex {
    const segment = this.#segment(event);
    if (this.kind(event) === RecordKind.packet)
      return segment.offsets[event & segmentMask] as number;
    const connection = segment.connections[event & segmentMask] as number;
    return this.connections.sender(connection, opposite(this.direction(event)));
  }

  #segment(event: EventNumber): EventSegment {
    return this.#segments[event >>> segmentShift] as EventSegment;
  }
}

/** The last of those that begin at or before `event`; -1 if there is none. They ascend. */
function lastUpTo(parts: readonly Detached[], event: EventNumber): number {
  let from = 0;
  let to = parts.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((parts[middle] as Detached).first <= event) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}
