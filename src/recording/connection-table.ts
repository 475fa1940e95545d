/**
 * The connections of a recording as a table of columns in shared memory, and the bytes that each client
 * opened its connection with, by which connections are told apart when several are made at once.
 */
import type { Family, Port } from "../base/units.ts";
import { Direction } from "../base/direction.ts";

/** What became of a connection attempt. `unanswered`: neither accepted nor refused. */
export type Outcome = "accepted" | "refused" | "unanswered";

/** Facts about a connection, as bits. A bit for the client, shifted by the direction for the server. */
export const Fact = {
  accepted: 1,
  refused: 2,
  /** The client ended its direction; times two: the server did. */
  ended: 4,
  /** The client reset the connection; times two: the server did. */
  reset: 16,
  ipv6: 64,
} as const;

/** How many columns the 32-bit part has, and which is which. Rows are numbered like connections, from 1. */
export const Column = {
  client: 0,
  server: 1,
  /** The client's port in the high half, the server's in the low one. */
  ports: 2,
  facts: 3,
  /** Where the group of its events begins in `byConnection`; the next row's is where it ends. */
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
  /** What the clients' openings consist of. */
  readonly openings: SharedArrayBuffer;
}

/** What is known of one connection, for reports. */
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
  /** Connections have the numbers 1 to `count`. */
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

  /** How many bytes were recorded of `direction` in all. */
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

  /** Where the connection's events begin in {@link RecordingIndex.byConnection}. */
  from(connection: number): number {
    return this.#word(connection, Column.from);
  }

  /** Where they end: the first place that is not theirs. */
  to(connection: number): number {
    return this.#word(connection + 1, Column.from);
  }

  /**
   * What the client sent before anything was sent to it: up to 1 KiB (less in recordings of very many
   * connections). Empty if the server spoke first. A view, not to be written to.
   */
  opening(connection: number): Uint8Array {
    const at = this.#word(connection, Column.openingAt);
    return this.#openings.subarray(at, at + this.#word(connection, Column.openingLength));
  }

  /** All of it but the opening, as an object of its own. */
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
