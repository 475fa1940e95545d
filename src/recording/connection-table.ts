/**
 * The connections of a recording, as a table of columns in shared memory. It also has the first
 * bytes of each client, which identify a connection when several are opened at once.
 */
import type { Family, Port } from "../base/units.ts";
import { Direction } from "../base/direction.ts";

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
  /** Float64: the bytes of each direction, at 2 * row + direction. */
  readonly bytes: SharedArrayBuffer;
  /** The bytes of the clients' openings. */
  readonly openings: SharedArrayBuffer;
}

/** The description of a connection, for reports. */
export interface RecordedConnection {
  readonly number: number;
  readonly family: Family;
  readonly client: number;
  readonly clientPort: Port;
  readonly server: number;
  readonly serverPort: Port;
  readonly outcome: Outcome;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

export class ConnectionTable {
  /** The number of connections; they are numbered from 1. */
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #bytes: Float64Array;
  readonly #openings: Uint8Array;

  constructor(store: ConnectionTableStore) {
    this.count = store.count;
    this.#words = new Uint32Array(store.words);
    this.#bytes = new Float64Array(store.bytes);
    this.#openings = new Uint8Array(store.openings);
  }

  family(connection: number): Family {
    return (this.#word(connection, Column.facts) & Fact.ipv6) === 0 ? 4 : 6;
  }

  client(connection: number): number {
    return this.#word(connection, Column.client);
  }

  server(connection: number): number {
    return this.#word(connection, Column.server);
  }

  clientPort(connection: number): Port {
    return (this.#word(connection, Column.ports) >>> 16) as Port;
  }

  serverPort(connection: number): Port {
    return (this.#word(connection, Column.ports) & 0xffff) as Port;
  }

  outcome(connection: number): Outcome {
    const facts = this.#word(connection, Column.facts);
    if ((facts & Fact.accepted) !== 0) return "accepted";
    return (facts & Fact.refused) === 0 ? "unanswered" : "refused";
  }

  /** The container that sends in `direction`. */
  endOf(connection: number, direction: Direction): number {
    return direction === Direction.toServer ? this.client(connection) : this.server(connection);
  }

  /** The total number of bytes recorded in `direction`. */
  bytes(connection: number, direction: Direction): number {
    return this.#bytes[2 * connection + direction] as number;
  }

  /** Whether the sender of `direction` ended it (FIN). */
  hasEnd(connection: number, direction: Direction): boolean {
    return (this.#word(connection, Column.facts) & (Fact.ended << direction)) !== 0;
  }

  /** Whether the sender of `direction` reset the connection. */
  hasReset(connection: number, direction: Direction): boolean {
    return (this.#word(connection, Column.facts) & (Fact.reset << direction)) !== 0;
  }

  /** The start of the connection's events in {@link RecordingIndex.byConnection}. */
  from(connection: number): number {
    return this.#word(connection, Column.from);
  }

  /** The end (exclusive) of the connection's events. */
  to(connection: number): number {
    return this.#word(connection + 1, Column.from);
  }

  /**
   * The bytes that the client sent before it received any: up to 1 KiB (less in recordings of very
   * many connections). Empty if the server spoke first. A view; do not write to it.
   */
  opening(connection: number): Uint8Array {
    const at = this.#word(connection, Column.openingAt);
    return this.#openings.subarray(at, at + this.#word(connection, Column.openingLength));
  }

  /** The row as an object, without the opening. */
  describe(number: number): RecordedConnection {
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

  #word(connection: number, column: number): number {
    return this.#words[connection * Column.count + column] as number;
  }
}
