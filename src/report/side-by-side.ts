/** Renders two byte sequences side by side, in hexadecimal and as text, in at most 80 columns. */

import { type Paint, plain } from "./paint.ts";

const rowBytes = 8;
/** A masked byte: two dots in place of two hexadecimal digits. */
const masked = "..";

/**
 * Renders rows of `before` (the same on both sides), then of `recorded` and `live`, which begin at
 * byte `offset`. Rows that differ are marked, and bytes that differ are painted. The arguments are
 * hexadecimal, as in differences.
 */
export function sideBySide(
  offset: number,
  before: string,
  recorded: string,
  live: string,
  paint: Paint = plain,
): readonly string[] {
  const past = bytesOf(before);
  const [left, right] = [bytesOf(recorded), bytesOf(live)];
  const rows = [heading];
  for (let at = 0; at < past.length; at += rowBytes) {
    const row = past.slice(at, at + rowBytes);
    rows.push(renderRow(offset - past.length + at, row, row, paint));
  }
  for (let at = 0; at < Math.max(left.length, right.length); at += rowBytes)
    rows.push(
      renderRow(offset + at, left.slice(at, at + rowBytes), right.slice(at, at + rowBytes), paint),
    );
  return rows;
}

const offsetColumns = 6;
const sideColumns = rowBytes * 3 + 1 + rowBytes;
const heading = `${" ".repeat(offsetColumns + 3)}${"recorded".padEnd(sideColumns)} | now`;

function renderRow(
  offset: number,
  left: readonly string[],
  right: readonly string[],
  { good, bad }: Paint,
): string {
  const mark = left.join() === right.join() ? " " : "\u2260";
  const place = String(offset).padStart(offsetColumns);
  const sides = `${side(left, right, good)} | ${side(right, left, bad)}`;
  return `${mark} ${place} ${sides}`.trimEnd();
}

/** `paint` applies to bytes that differ from `other`. */
function side(
  bytes: readonly string[],
  other: readonly string[],
  paint: (text: string) => string,
): string {
  const painted = (texts: readonly string[]): string[] =>
    texts.map((text, i) => (bytes[i] === other[i] ? text : paint(text)));
  const hex = painted(bytes).join(" ");
  const text = painted(bytes.map(letterOf)).join("");
  const missing = rowBytes - bytes.length;
  const [hexPad, textPad] = [rowBytes * 3 - Math.max(0, 3 * bytes.length - 1), missing];
  return `${hex}${" ".repeat(hexPad)} ${text}${" ".repeat(textPad)}`;
}

/** ASCII unchanged; unprintable and masked bytes as dots. */
function letterOf(byte: string): string {
  if (byte === masked) return ".";
  const code = Number.parseInt(byte, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
}

function bytesOf(hex: string): string[] {
  return hex.match(/../g) ?? [];
}
