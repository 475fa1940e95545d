/** Bytes as text with a character for each byte (ISO 8859-1), and back. */

/** The arguments of a call go onto the stack, which has room for so many with certainty. */
const mostArguments = 8192;

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += mostArguments)
    text += String.fromCharCode(...bytes.subarray(at, at + mostArguments));
  return text;
}

/** The bytes of a text that `latin1` made. */
export function octetsOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
