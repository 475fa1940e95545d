/**
 * The connections of a recording, as a table of columns in shared memory. It also has the first
 * bytes of each client, which identify a connection when several are opened at once.
 */
import { type ConnectionNumber, type ContainerIndex, endOf } from "../base/ids.ts";
import type { Family, Port } from "../base/units.ts";
import { Direction } from "../base/direction.ts";
import { RecordKind } from "../dump/format/schema.ts";

/** The outcome of a connection attempt. `unanswered`: neither accepted nor refused. */
export type Outcome = "accepted" | "refused" | "unanswered";

/**
 * Facts about a connection, as bits. A bit for the client, shifted by the direction for the server.
 */
export const Fact = {
  accepted: 1,
  refused: 2,
  /** The client ended its direction; times two: the server did. */
  ended: 4,
  /** The client reset the connection; times two: the server did. */
  reset: 16,
  ipv6: 64,
} as const;

/** What an event says of its connection, as {@link Fact}. */
export function factOf(kind: RecordKind, direction: Direction): number {
  if (kind === RecordKind.accept) return Fact.accepted;
  if (kind === RecordKind.refuse) return Fact.refused;
  if (kind === RecordKind.end) return Fact.ended << direction;
  return kind === RecordKind.reset ? Fact.reset << direction : 0;
}

/** The columns of the 32-bit part, and their number. Rows are numbered like connections, from 1. */
export const Column = {
  client: 0,
  server: 1,
  /** The client's port in the upper half, the server's in the lower half. */
  ports: 2,
  facts: 3,
  /** The start of its events in `byConnection`; they end where the next row's start. */
  from: 4,
  openingAt: 5,
  openingLength: 6,
  count: 7,
} as const;

/** A {@link ConnectionTable} as plain data. */
export interface ConnectionTableStore {
  readonly count: number;
  /** Uint32 by row and {@link Column}: rows 0 (unused) to `count` + 1 (only its `from`). */
  readonly words: SharedArrayBuffer;
  /** Float64: the bytes that each end sends: see `endOf`. */
  readonly bytes: SharedArrayBuffer;
  /** The bytes of the clients' openings. */
  readonly openings: SharedArrayBuffer;
}

/** The description of a connection, for reports. */
export interface RecordedConnection {
  readonly number: ConnectionNumber;
  readonly family: Family;
  readonly client: ContainerIndex;
  readonly clientPort: Port;
  readonly server: ContainerIndex;
  readonly serverPort: Port;
  readonly outcome: Outcome;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/**
 * Events that were taken out of their connection and count as one of their own. Its streams keep
 * the offsets that they have in the whole connection.
 */
export interface DetachedPart {
  /** The connection that they were recorded on. */
  readonly origin: ConnectionNumber;
  /** Where they lie in {@link RecordingIndex.byConnection}. */
  readonly from: number;
  readonly to: number;
}

/** What a part, or what is left of a connection, amounts to. */
export interface Extent {
  /** By direction: how many bytes of the whole connection's stream there are up to its end. */
  readonly bytes: readonly [number, number];
  /** As {@link Fact}. */
  readonly facts: number;
}

export class ConnectionTable {
  /** The number of recorded connections, numbered from 1; detached ones have higher numbers. */
  readonly count: number;
  readonly #parts = new Map<number, DetachedPart>();
  /** Of parts, and of what they were taken out of. */
  readonly #extents = new Map<number, Extent>();
  readonly #words: Uint32Array;
  readonly #bytes: Float64Array;
  readonly #openings: Uint8Array;

  constructor(store: ConnectionTableStore) {
    this.count = store.count;
    this.#words = new Uint32Array(store.words);
    this.#bytes = new Float64Array(store.bytes);
    this.#openings = new Uint8Array(store.openings);
  }

  family(connection: ConnectionNumber): Family {
    return (this.#word(connection, Column.facts) & Fact.ipv6) === 0 ? 4 : 6;
  }

  client(connection: ConnectionNumber): ContainerIndex {
    return this.#word(connection, Column.client);
  }

  server(connection: ConnectionNumber): ContainerIndex {
    return this.#word(connection, Column.server);
  }

  clientPort(connection: ConnectionNumber): Port {
    return (this.#word(connection, Column.ports) >>> 16) as Port;
  }

  serverPort(connection: ConnectionNumber): Port {
    return (this.#word(connection, Column.ports) & 0xffff) as Port;
  }

  outcome(connection: ConnectionNumber): Outcome {
    const facts = this.facts(connection);
    if ((facts & Fact.accepted) !== 0) return "accepted";
    return (facts & Fact.refused) === 0 ? "unanswered" : "refused";
  }

  /** The recorded connection that a detached one was taken out of; any other is its own. */
  originOf(connection: ConnectionNumber): ConnectionNumber {
    return this.#partOf(connection)?.origin ?? connection;
  }

  /** A detached part becomes the connection `number`. */
  detach(number: ConnectionNumber, part: DetachedPart, extent: Extent, left: Extent): void {
    this.#parts.set(number, part);
    this.#extents.set(number, extent);
    this.#extents.set(part.origin, left);
  }

  /** Connections of the same client to the same port of the same server have the same key. */
  poolOf(connection: ConnectionNumber): string {
    const server = `${this.server(connection)}:${this.serverPort(connection)}`;
    return `${this.family(connection)}/${this.client(connection)}>${server}`;
  }

  /** The container that sends in `direction`. */
  sender(connection: ConnectionNumber, direction: Direction): ContainerIndex {
    return direction === Direction.toServer ? this.client(connection) : this.server(connection);
  }

  /** The total number of bytes recorded in `direction`. */
  bytes(connection: ConnectionNumber, direction: Direction): number {
    const extent = this.#extents.get(connection);
    return extent?.bytes[direction] ?? (this.#bytes[endOf(connection, direction)] as number);
  }

  /** Whether the sender of `direction` ended it (FIN). */
  hasEnd(connection: ConnectionNumber, direction: Direction): boolean {
    return (this.facts(connection) & (Fact.ended << direction)) !== 0;
  }

  /** Whether the sender of `direction` reset the connection. */
  hasReset(connection: ConnectionNumber, direction: Direction): boolean {
    return (this.facts(connection) & (Fact.reset << direction)) !== 0;
  }

  /** The start of the connection's events in {@link RecordingIndex.byConnection}. */
  from(connection: ConnectionNumber): number {
    return this.#partOf(connection)?.from ?? this.#word(connection, Column.from);
  }

  /** The end (exclusive) of the connection's events. */
  to(connection: ConnectionNumber): number {
    const next = (connection + 1) * Column.count + Column.from;
    return this.#partOf(connection)?.to ?? (this.#words[next] as number);
  }

  /**
   * The bytes that the client sent before it received any: up to 1 KiB (less in recordings of very
   * many connections). Empty if the server spoke first. A view; do not write to it.
   */
  opening(connection: ConnectionNumber): Uint8Array {
    const at = this.#word(connection, Column.openingAt);
    return this.#openings.subarray(at, at + this.#word(connection, Column.openingLength));
  }

  /** The row as an object, without the opening. */
  describe(number: ConnectionNumber): RecordedConnection {
    return {
      number,
      family: this.family(number),
      client: this.client(number),
      clientPort: this.clientPort(number),
      server: this.server(number),
      serverPort: this.serverPort(number),
      outcome: this.outcome(number),
      bytesToServer: this.bytes(number, Direction.toServer),
      bytesToClient: this.bytes(number, Direction.toClient),
    };
  }

  #partOf(connection: ConnectionNumber): DetachedPart | undefined {
    return connection > this.count ? this.#parts.get(connection) : undefined;
  }

  /** All {@link Fact}s of a connection, as bits. */
  facts(connection: ConnectionNumber): number {
    return this.#extents.get(connection)?.facts ?? this.#word(connection, Column.facts);
  }

  #word(connection: ConnectionNumber, column: number): number {
    return this.#words[this.originOf(connection) * Column.count + column] as number;
  }
}
