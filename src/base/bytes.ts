/** Bytes, joined and as text. */

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Two hexadecimal digits for each byte. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, hexOf).join("");
}

export function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
