/**
 * The connections of a recording as a table: who talked to whom, when, how much, and how it ended. Folds
 * the decoder's items; what it keeps is one small row for each connection.
 */
import { Direction } from "../base/direction.ts";
import { plural } from "../base/text.ts";
import type { StreamItem } from "../dump/format/decoder.ts";
import { type Phase, phaseAfter } from "../dump/format/lifecycle.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";
import { timeLabel } from "./events.ts";

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
  /** All, or the first {@link mostRows}. */
  readonly connections: readonly ConnectionRow[];
  readonly totals: ConnectionTotals;
}

/** All rows become one text. So many of them take 0.3 GB on the way (measured with a million). */
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

  /** Takes the next item that is about a connection. */
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
    return { connections: this.#rows, totals: this.#totals };
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

/** The table as text: aligned columns, a line of totals; every line ends in a newline. */
export function renderConnections({ connections, totals }: ConnectionReport): string {
  if (connections.length === 0) return "no connections\n";
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
  const left = totals.connections - connections.length;
  const more = left === 0 ? "" : `and ${plural(left, "connection")} more\n`;
  return `${alignColumns(connections, total)}${more}`;
}

function cellsOf(row: ConnectionRow): readonly string[] {
  return [
    String(row.number),
    `${row.client}:${row.clientPort}`,
    "\u2192",
    `${row.server}:${row.serverPort}`,
    timeLabel(row.startNs),
    timeLabel(row.durationNs),
    formatBytes(row.bytesToServer),
    formatBytes(row.bytesToClient),
    row.ending,
  ];
}

const headings = ["#", "client", "", "server", "start", "lasted", "sent", "received", "ended"];
/** Numbers are aligned by their last digit, words by their first letter. */
const numberColumns: ReadonlySet<number> = new Set([0, 4, 5, 6, 7]);

/** The cells of a row are made twice, and never all at once: there may be very many. */
function alignColumns(rows: readonly ConnectionRow[], foot: readonly string[]): string {
  const widths = headings.map((cell, column) => Math.max(cell.length, (foot[column] ?? "").length));
  for (const row of rows)
    for (const [column, cell] of cellsOf(row).entries())
      widths[column] = Math.max(widths[column] as number, cell.length);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return numberColumns.has(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const lines = [line(headings), ...rows.map((row) => line(cellsOf(row))), line(foot)];
  return `${lines.join("\n")}\n`;
}

/** Bytes as they are up to 10,000, then in the unit that leaves one to three digits before the point. */
function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** step).toFixed(1)} ${units[step - 1]}`;
}
