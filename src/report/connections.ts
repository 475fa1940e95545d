/**
 * Folds a recording's events into a table of connections: the parties, the times, the bytes in each
 * direction and the endings. It keeps one small row for each connection.
 */
import type { ConnectionNumber } from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import type { Family } from "../base/units.ts";
import type { StreamItem } from "../dump/format/decoder.ts";
import { type Phase, phaseAfter } from "../dump/format/lifecycle.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";

/**
 * How a connection ended. `unanswered`: neither accepted nor refused. `open`: still open at the end
 * of the recording.
 */
type ConnectionEnding =
  | "closed"
  | "reset by client"
  | "reset by server"
  | "refused"
  | "unanswered"
  | "open";

/** A connection. Times are in nanoseconds since the run's start. */
export interface ConnectionRow {
  readonly number: ConnectionNumber;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly family: Family;
  readonly startNs: number;
  /** The time until its last event. */
  durationNs: number;
  bytesToServer: number;
  bytesToClient: number;
  ending: ConnectionEnding;
  /** The number of the connection over the other IP version that replaced this failed attempt. */
  replacedBy?: number;
}

/** The sums over all connections. */
interface ConnectionTotals {
  readonly connections: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/** A table of connections; `--json` prints it unchanged. */
export interface ConnectionReport {
  /** All connections, or the first {@link mostRows}. */
  readonly connections: readonly ConnectionRow[];
  readonly totals: ConnectionTotals;
}

/**
 * The most rows kept. They all become one text, which takes 0.3 GB for this many (measured with a
 * million).
 */
const mostRows = 250_000;

/** Folds the items of one recording. */
export class ConnectionFold {
  readonly #names: readonly string[];
  readonly #mostRows: number;
  readonly #rows: ConnectionRow[] = [];
  readonly #phases: Phase[] = [];
  readonly #totals = { connections: 0, bytesToServer: 0, bytesToClient: 0 };

  constructor(run: RunInfo, rows: number = mostRows) {
    this.#names = run.containers.map((container) => container.name);
    this.#mostRows = rows;
  }

  /** Takes the next item of a connection. */
  add(item: StreamItem): void {
    // The decoder numbers connections from 1 without a gap.
    const index = item.connection.number - 1;
    this.#totals.connections = Math.max(this.#totals.connections, index + 1);
    addBytes(this.#totals, item);
    if (index >= this.#mostRows) return;
    if (item.kind === RecordKind.connect) this.#rows.push(this.#begin(item));
    const row = this.#rows[index] as ConnectionRow;
    const before = this.#phases[index] ?? "connecting";
    const phase = phaseAfter(before, item.kind, item.direction) ?? before;
    this.#phases[index] = phase;
    row.durationNs = item.atNs - row.startNs;
    addBytes(row, item);
    row.ending = endingOf(phase, item);
  }

  report(): ConnectionReport {
    markReplaced(this.#rows);
    return { connections: this.#rows, totals: this.#totals };
  }

  #begin({ connection, atNs }: StreamItem): ConnectionRow {
    const { number, family, client, server } = connection;
    return {
      number,
      client: this.#names[client.container] as string,
      clientPort: client.port,
      server: this.#names[server.container] as string,
      serverPort: server.port,
      family,
      startNs: atNs,
      durationNs: 0,
      bytesToServer: 0,
      bytesToClient: 0,
      ending: "unanswered",
    };
  }
}

function addBytes(
  sums: { bytesToServer: number; bytesToClient: number },
  { direction, payload }: StreamItem,
): void {
  if (direction === Direction.toServer) sums.bytesToServer += payload.length;
  else sums.bytesToClient += payload.length;
}

function endingOf(phase: Phase, { kind, direction }: StreamItem): ConnectionEnding {
  if (phase === "connecting") return "unanswered";
  if (phase !== "over") return "open";
  if (kind === RecordKind.refuse) return "refused";
  if (kind === RecordKind.end) return "closed";
  return direction === Direction.toServer ? "reset by client" : "reset by server";
}

/**
 * Many programs try one IP version and then the other ("happy eyeballs", RFC 8305). A failed
 * attempt counts as replaced if the next attempt from its client to the same port uses the other IP
 * version, is accepted, and comes within this time.
 */
const replacedWithinNs = 1e9;

function markReplaced(rows: readonly ConnectionRow[]): void {
  const failed = new Map<string, ConnectionRow>();
  for (const row of rows) {
    const key = `${row.client} ${row.server} ${row.serverPort}`;
    const before = failed.get(key);
    failed.delete(key);
    if (hasFailed(row)) failed.set(key, row);
    else if (before && before.family !== row.family)
      if (row.startNs - before.startNs - before.durationNs < replacedWithinNs)
        before.replacedBy = row.number;
  }
}

/** Whether the server did not accept it, or the client reset it before any byte was sent. */
function hasFailed({ ending, bytesToServer, bytesToClient }: ConnectionRow): boolean {
  if (ending === "reset by client") return bytesToServer + bytesToClient === 0;
  return ending === "refused" || ending === "unanswered";
}
