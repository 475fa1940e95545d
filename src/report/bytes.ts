/** Renders bytes for people: as text, or in hexadecimal. */

const decoder = new TextDecoder();

/** Characters that would change the appearance of the text around them. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Co}]/gu;
const unseenInLines = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Co}]/gu;
const stand = "\u00b7";

/**
 * Renders lines of UTF-8 text. Invisible characters become dots, and a carriage return before a
 * line feed disappears.
 */
export function asText(bytes: Uint8Array): string {
  return decoder.decode(bytes).replaceAll("\r\n", "\n").replaceAll(unseenInLines, stand);
}

/** Renders a single line of text. */
export function asLine(bytes: Uint8Array): string {
  return lineOf(decoder.decode(bytes));
}

/** Any text as one line that is safe to print. */
export function lineOf(text: string): string {
  return text.replaceAll(/\r?\n/g, "\u21b5").replaceAll(unseen, stand);
}

const rowBytes = 16;

/** Rows of 16 bytes: offset, hexadecimal and ASCII. `offset` is the first byte's. */
export function asHex(bytes: Uint8Array, offset: number): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += rowBytes) {
    const row = [...bytes.subarray(at, at + rowBytes)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    rows.push(`${String(offset + at).padStart(8)}  ${hex.padEnd(3 * rowBytes)} ${text.join("")}`);
  }
  return rows.join("\n");
}
