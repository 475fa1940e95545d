/**
 * Searches a stream that arrives in pieces. A match may span any number of them. The pattern sees
 * one character for each byte (ISO 8859-1).
 */
import { latin1 } from "../base/latin1.ts";

/** Longer matches may be missed if a piece ends within them. */
const reachBytes = 4096;

export class StreamSearch {
  readonly #pattern: RegExp;
  /** The last bytes, and their offset in the stream. */
  #tail = "";
  #tailOffset = 0;
  /** The end of the last match. Matches do not overlap. */
  #searchedTo = 0;

  constructor(pattern: RegExp) {
    this.#pattern = new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gy]/g, "")}g`);
  }

  /** Takes the next bytes. Returns the stream offsets of the matches that end in them. */
  push(bytes: Uint8Array): number[] {
    const text = this.#tail + latin1(bytes);
    const found: number[] = [];
    this.#pattern.lastIndex = Math.max(0, this.#searchedTo - this.#tailOffset);
    for (let match = this.#pattern.exec(text); match; match = this.#pattern.exec(text)) {
      // An empty match would be found again at the same place.
      if (match[0] === "") this.#pattern.lastIndex++;
      found.push(this.#tailOffset + match.index);
      this.#searchedTo = this.#tailOffset + this.#pattern.lastIndex;
    }
    const kept = Math.max(0, text.length - reachBytes);
    this.#tail = text.slice(kept);
    this.#tailOffset += kept;
    return found;
  }
}
