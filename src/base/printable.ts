/**
 * Makes text from a dump or a system call safe to print on a terminal. Control characters (ECMA-48:
 * ESC, and the single-character CSI, U+009B) can move the cursor, hide text and set the clipboard;
 * format characters can reverse the writing direction and disguise a command. Invisible characters
 * are therefore escaped, as in JSON and in the shell's `$'...'`.
 */

/** Control and format characters, line separators, lone surrogates, private and unassigned ones. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Co}]/gu;

/**
 * `text` on one line: an escape character becomes the four characters `\x1b`, a line break `\n`.
 */
export function printable(text: string): string {
  return text.replaceAll(unseen, spell);
}

/**
 * `text` with its line breaks. Continuation lines get `indent`, so that none passes for a message.
 */
export function printableLines(text: string, indent: string): string {
  return text.split("\n").map(printable).join(`\n${indent}`);
}

/** `value` as JSON that is safe to print: JSON itself escapes only characters below U+0020. */
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
