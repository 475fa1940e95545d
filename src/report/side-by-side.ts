/** Two pieces of bytes side by side, each in hexadecimal and as text: at most 80 columns. */

const rowBytes = 8;
/** Bytes are two hexadecimal digits; a masked one is two dots. */
const masked = "..";

/**
 * Rows of what came before (the same on both sides), of `recorded` and of `live`, from the byte `offset`
 * on. Rows that differ are marked. All in hexadecimal, as differences have it.
 */
export function sideBySide(
  offset: number,
  before: string,
  recorded: string,
  live: string,
): readonly string[] {
  const past = bytesOf(before);
  const [left, right] = [bytesOf(recorded), bytesOf(live)];
  const rows = [heading];
  for (let at = 0; at < past.length; at += rowBytes) {
    const row = past.slice(at, at + rowBytes);
    rows.push(renderRow(" ", offset - past.length + at, row, row));
  }
  for (let at = 0; at < Math.max(left.length, right.length); at += rowBytes) {
    const [a, b] = [left.slice(at, at + rowBytes), right.slice(at, at + rowBytes)];
    rows.push(renderRow(a.join() === b.join() ? " " : "\u2260", offset + at, a, b));
  }
  return rows;
}

const sideColumns = rowBytes * 3 + 1 + rowBytes;
const heading = `${" ".repeat(12)}${"recorded".padEnd(sideColumns)} | now`;

function renderRow(
  mark: string,
  offset: number,
  left: readonly string[],
  right: readonly string[],
): string {
  const row = `${mark} ${String(offset).padStart(8)}  ${side(left)} | ${side(right)}`;
  return row.trimEnd();
}

function side(bytes: readonly string[]): string {
  const text = bytes.map(letterOf).join("");
  return `${bytes.join(" ").padEnd(rowBytes * 3)} ${text.padEnd(rowBytes)}`;
}

/** ASCII as it is; what cannot be printed, and what is masked, as a dot. */
function letterOf(byte: string): string {
  if (byte === masked) return ".";
  const code = Number.parseInt(byte, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
}

function bytesOf(hex: string): string[] {
  return hex.match(/../g) ?? [];
}
