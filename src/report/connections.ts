/**
 * The connections of a recording as a table: who talked to whom, when, how much, and how it ended. Folds
 * the decoder's items; what it keeps is one small row for each connection.
 */
import { Direction } from "../base/direction.ts";
import type { StreamItem } from "../dump/decoder.ts";
import { type Phase, phaseAfter } from "../dump/lifecycle.ts";
import { RecordKind, type RunInfo } from "../dump/schema.ts";

/** How a connection ended. `unanswered`: neither accepted nor refused; `open`: not ended when the recording was. */
type ConnectionEnding =
  | "closed"
  | "reset by client"
  | "reset by server"
  | "refused"
  | "unanswered"
  | "open";

/** One connection. Times in nanoseconds since the run's start. */
export interface ConnectionRow {
  readonly number: number;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly startNs: number;
  /** Until its last event. */
  durationNs: number;
  bytesToServer: number;
  bytesToClient: number;
  ending: ConnectionEnding;
}

/** The sums over all connections. */
interface ConnectionTotals {
  readonly connections: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/** A table of connections: also what `--json` prints, as it is. */
export interface ConnectionReport {
  readonly connections: readonly ConnectionRow[];
  readonly totals: ConnectionTotals;
}

/** Folds the items of one recording. */
export class ConnectionFold {
  readonly #names: readonly string[];
  readonly #rows: ConnectionRow[] = [];
  readonly #phases: Phase[] = [];

  constructor(run: RunInfo) {
    this.#names = run.containers.map((container) => container.name);
  }

  /** Takes the next item that is about a connection. */
  add(item: StreamItem): void {
    // The decoder numbers connections from 1 without a gap.
    const index = item.connection.number - 1;
    if (item.kind === RecordKind.connect) this.#rows.push(this.#begin(item));
    const row = this.#rows[index] as ConnectionRow;
    const before = this.#phases[index] ?? "connecting";
    const phase = phaseAfter(before, item.kind, item.direction) ?? before;
    this.#phases[index] = phase;
    row.durationNs = item.atNs - row.startNs;
    if (item.direction === Direction.toServer) row.bytesToServer += item.payload.length;
    else row.bytesToClient += item.payload.length;
    row.ending = endingOf(phase, item);
  }

  report(): ConnectionReport {
    const sum = (of: (row: ConnectionRow) => number): number =>
      this.#rows.reduce((total, row) => total + of(row), 0);
    const totals = {
      connections: this.#rows.length,
      bytesToServer: sum((row) => row.bytesToServer),
      bytesToClient: sum((row) => row.bytesToClient),
    };
    return { connections: this.#rows, totals };
  }

  #begin({ connection, atNs }: StreamItem): ConnectionRow {
    const { number, client, server } = connection;
    return {
      number,
      client: this.#names[client.container] as string,
      clientPort: client.port,
      server: this.#names[server.container] as string,
      serverPort: server.port,
      startNs: atNs,
      durationNs: 0,
      bytesToServer: 0,
      bytesToClient: 0,
      ending: "unanswered",
    };
  }
}

function endingOf(phase: Phase, { kind, direction }: StreamItem): ConnectionEnding {
  if (phase === "connecting") return "unanswered";
  if (phase !== "over") return "open";
  if (kind === RecordKind.refuse) return "refused";
  if (kind === RecordKind.end) return "closed";
  return direction === Direction.toServer ? "reset by client" : "reset by server";
}

/** The table as text: aligned columns, a line of totals; every line ends in a newline. */
export function renderConnections({ connections, totals }: ConnectionReport): string {
  if (connections.length === 0) return "no connections\n";
  const rows = connections.map((row) => [
    String(row.number),
    `${row.client}:${row.clientPort}`,
    "\u2192",
    `${row.server}:${row.serverPort}`,
    formatSeconds(row.startNs),
    formatSeconds(row.durationNs),
    formatBytes(row.bytesToServer),
    formatBytes(row.bytesToClient),
    row.ending,
  ]);
  const total = [
    "",
    "total",
    "",
    "",
    "",
    "",
    formatBytes(totals.bytesToServer),
    formatBytes(totals.bytesToClient),
    "",
  ];
  return alignColumns([headings, ...rows, total]);
}

const headings = ["#", "client", "", "server", "start", "lasted", "sent", "received", "ended"];
/** Numbers are aligned by their last digit, words by their first letter. */
const numberColumns: ReadonlySet<number> = new Set([0, 4, 5, 6, 7]);

function alignColumns(rows: readonly (readonly string[])[]): string {
  // Not Math.max(...rows): a recording may have more connections than a call may have arguments.
  const widths = headings.map((_, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] as string).length), 0),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return numberColumns.has(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** Seconds to the microsecond: what a recording resolves well. */
function formatSeconds(ns: number): string {
  return `${(ns / 1e9).toFixed(6)} s`;
}

/** Bytes as they are up to 10,000, then in the unit that leaves one to three digits before the point. */
function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** step).toFixed(1)} ${units[step - 1]}`;
}
