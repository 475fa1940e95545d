/** Renders the result as a table. */
import { formatBytes } from "../src/base/text.ts";
import { formatFigure, median, type Row } from "./results.ts";

const header = ["", "direct", "plg", "plg/direct", "lowest..highest", "dump"];

export function table(rows: readonly Row[]): string {
  const lines = [header, ...rows.map(cells)];
  const widths = header.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines.map((line) => line.map((cell, i) => aligned(cell, i, widths)).join("  ")).join("\n");
}

function cells(row: Row): string[] {
  if (row.ratios.length === 0) return [row.name, "failed", "", "", "", ""];
  return [
    row.name,
    formatFigure(median(row.direct), row.unit),
    formatFigure(median(row.plg), row.unit),
    formatRatio(median(row.ratios)),
    `${formatRatio(Math.min(...row.ratios))}..${formatRatio(Math.max(...row.ratios))}`,
    formatBytes(median(row.dumpBytes)),
  ];
}

function formatRatio(ratio: number): string {
  return ratio.toFixed(2);
}

function aligned(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0;
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
