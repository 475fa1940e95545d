/** Renders the connections of a recording as a table that fits the terminal's width. */
import { plural } from "../base/text.ts";
import type { ConnectionReport, ConnectionRow } from "./connections.ts";
import { timeLabel } from "./events.ts";

/** Options for rendering a table. */
export interface TableView {
  /** The maximum width in columns. @default Infinity */
  readonly columns?: number;
  /** Whether replaced attempts have lines of their own. @default false */
  readonly all?: boolean;
  /** The option that shows them: `-v`. */
  readonly toShowAll?: string;
}

interface Column {
  readonly heading: string;
  readonly cell: (row: ConnectionRow) => string;
  /** The cell in the line of totals. */
  readonly total?: (totals: ConnectionReport["totals"]) => string;
  /** Numbers are right-aligned, words left-aligned. */
  readonly isNumber?: boolean;
  /** Names are shortened in the middle if room is short. */
  readonly isName?: boolean;
  /** Left out first if room is short. */
  readonly isSpare?: boolean;
}

const columns: readonly Column[] = [
  { heading: "#", cell: ({ number }) => String(number), isNumber: true },
  {
    heading: "client",
    cell: ({ client, clientPort }) => `${client}:${clientPort}`,
    total: () => "total",
    isName: true,
  },
  { heading: "", cell: () => "\u2192" },
  {
    heading: "server",
    cell: ({ server, serverPort }) => `${server}:${serverPort}`,
    isName: true,
  },
  { heading: "start", cell: ({ startNs }) => timeLabel(startNs), isNumber: true },
  {
    heading: "lasted",
    cell: ({ durationNs }) => timeLabel(durationNs),
    isNumber: true,
    isSpare: true,
  },
  {
    heading: "sent",
    cell: ({ bytesToServer }) => formatBytes(bytesToServer),
    total: ({ bytesToServer }) => formatBytes(bytesToServer),
    isNumber: true,
  },
  {
    heading: "received",
    cell: ({ bytesToClient }) => formatBytes(bytesToClient),
    total: ({ bytesToClient }) => formatBytes(bytesToClient),
    isNumber: true,
  },
  { heading: "ended", cell: ({ ending }) => ending },
];

const familyColumn: Column = { heading: "IP", cell: ({ family }) => `v${family}` };

/** Renders the table with a line of totals. Every line ends in a newline. */
export function renderConnections(report: ConnectionReport, view: TableView = {}): string {
  const { connections, totals } = report;
  if (connections.length === 0) return "no connections\n";
  const rows = view.all ? connections : connections.filter((row) => row.replacedBy === undefined);
  const folded = connections.length - rows.length;
  const left = totals.connections - connections.length;
  const more = left === 0 ? "" : `and ${plural(left, "connection")} more\n`;
  const hint = view.toShowAll === undefined ? "" : ` (${view.toShowAll} lists them)`;
  const note =
    folded === 0 ? "" : `and ${plural(folded, "attempt")} over the other IP version${hint}\n`;
  return `${layOut(columnsFor(connections), rows, totals, view.columns ?? Infinity)}${note}${more}`;
}

/** Adds a column for the IP version if both occur. */
function columnsFor(rows: readonly ConnectionRow[]): readonly Column[] {
  const isMixed = rows.some(({ family }) => family !== rows[0]?.family);
  return isMixed ? [...columns.slice(0, 4), familyColumn, ...columns.slice(4)] : columns;
}

/**
 * Lays out the table. Cells are computed twice rather than kept, because there may be very many.
 */
function layOut(
  all: readonly Column[],
  rows: readonly ConnectionRow[],
  totals: ConnectionReport["totals"],
  mostColumns: number,
): string {
  const widths = new Map(all.map((column) => [column, widthOf(column, rows, totals)]));
  const isWide = (shown: readonly Column[], gap: number): boolean =>
    shown.reduce((sum, column) => sum + (widths.get(column) ?? 0) + gap, -gap) > mostColumns;
  const gap = isWide(all, 2) ? 1 : 2;
  const shown = isWide(all, gap) ? all.filter(({ isSpare }) => isSpare !== true) : all;
  const excess = shown.reduce((sum, one) => sum + (widths.get(one) ?? 0) + gap, -gap) - mostColumns;
  if (excess > 0)
    for (const column of shown)
      if (column.isName)
        widths.set(column, Math.max(leastName, (widths.get(column) ?? 0) - Math.ceil(excess / 2)));
  const line = (cellOf: (column: Column) => string): string =>
    shown
      .map((column) => fit(cellOf(column), widths.get(column) ?? 0, column.isNumber === true))
      .join(" ".repeat(gap))
      .trimEnd();
  const lines = [
    line(({ heading }) => heading),
    ...rows.map((row) => line(({ cell }) => cell(row))),
    line(({ total }) => total?.(totals) ?? ""),
  ];
  return `${lines.join("\n")}\n`;
}

/** The minimum width of a name and its port. */
const leastName = 12;

function widthOf(
  { heading, cell, total }: Column,
  rows: readonly ConnectionRow[],
  totals: ConnectionReport["totals"],
): number {
  let width = Math.max(heading.length, total?.(totals).length ?? 0);
  for (const row of rows) width = Math.max(width, cell(row).length);
  return width;
}

function fit(text: string, width: number, isNumber: boolean): string {
  if (isNumber) return text.padStart(width);
  if (text.length <= width) return text.padEnd(width);
  const end = Math.min(7, width - 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(-end)}`;
}

/** Plain bytes below 10,000, then the unit that leaves one to three digits before the point. */
function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** step).toFixed(1)} ${units[step - 1]}`;
}
