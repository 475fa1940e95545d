/** Decodes the Huffman code of HPACK (RFC 7541, section 5.2). */
import { codeLengths, shortestCodeBits } from "./hpack-tables.ts";
import { Garbled } from "./input.ts";

/** The codes of one length: one per symbol, consecutive from `first` on. */
interface Length {
  readonly first: number;
  readonly symbols: readonly number[];
}

const endOfString = 256;
const mostPaddingBits = 7;

/** By length in bits. In a canonical code, each length continues where the previous one ended. */
const lengths: ReadonlyMap<number, Length> = (() => {
  const made = new Map<number, Length>();
  const bitsOf = Array.from(
    codeLengths,
    (letter) => letter.charCodeAt(0) - "a".charCodeAt(0) + shortestCodeBits,
  );
  let next = 0;
  for (let bits = shortestCodeBits; bits <= Math.max(...bitsOf); bits++) {
    const symbols = [...bitsOf.keys()].filter((symbol) => bitsOf[symbol] === bits);
    made.set(bits, { first: next, symbols });
    next = 2 * (next + symbols.length);
  }
  return made;
})();

/** Throws `Garbled` for bits that no encoder produces. */
export function decodeHuffman(bytes: Uint8Array): Uint8Array {
  // The shortest code has 5 bits.
  const decoded = new Uint8Array(Math.ceil((8 * bytes.length) / shortestCodeBits));
  let length = 0;
  let [code, bits] = [0, 0];
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      code = 2 * code + ((byte >> bit) & 1);
      bits++;
      const symbol = symbolOf(code, bits);
      if (symbol === undefined) continue;
      if (symbol === endOfString) throw new Garbled("an end within a string");
      decoded[length++] = symbol;
      [code, bits] = [0, 0];
    }
  // Ones, a prefix of the longest code, pad the last byte.
  if (bits > mostPaddingBits || code !== 2 ** bits - 1) throw new Garbled("no padding");
  return decoded.subarray(0, length);
}

function symbolOf(code: number, bits: number): number | undefined {
  const length = lengths.get(bits);
  return length?.symbols[code - length.first];
}
