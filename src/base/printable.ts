/**
 * Text that comes from a dump or from a system call, made fit for a terminal. A terminal takes orders by
 * control characters (ECMA-48: ESC, and CSI as one character, U+009B): they move the cursor, hide text, set
 * the clipboard. Format characters turn the direction of writing and show a command as another. So what
 * cannot be seen is spelled out, as JSON and shells' `$'...'` would.
 */

/** Control and format characters, line and paragraph separators, halves of pairs, and characters without meaning. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Co}]/gu;

/** `text` in one line: an escape character becomes the four characters `\x1b`, a line break `\n`. */
export function printable(text: string): string {
  return text.replaceAll(unseen, spell);
}

/** `text` with its line breaks; the lines after the first are behind `indent`, so that none looks like another message. */
export function printableLines(text: string, indent: string): string {
  return text.split("\n").map(printable).join(`\n${indent}`);
}

/** `value` as JSON that a terminal may be shown: JSON itself escapes only what is below U+0020. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(unseen, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${hex(character.charCodeAt(at), 4)}`)
      .join(""),
  );
}

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function spell(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0x100) return named[character] ?? `\\x${hex(code, 2)}`;
  return code < 0x1_0000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 0)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
