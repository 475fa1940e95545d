/** Cuts a stream of bytes into lines: pure. A line that does not end is cut, so that memory is bounded. */
const newline = 0x0a;
const longestBytes = 0x1_0000;

export class LineCutter {
  readonly #onLine: (line: Uint8Array) => void;
  #rest: Uint8Array[] = [];
  #restBytes = 0;

  /** `onLine` gets each line without its newline, in memory that stays its own. */
  constructor(onLine: (line: Uint8Array) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(newline, from);
      if (at < 0) break;
      const piece = chunk.subarray(from, at);
      if (this.#restBytes === 0) this.#onLine(Buffer.from(piece));
      else {
        this.#add(piece);
        this.#emit();
      }
      from = at + 1;
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
    if (this.#restBytes >= longestBytes) this.#emit();
  }

  /** The stream is over: what is left is the last line, if it is anything. */
  end(): void {
    if (this.#restBytes > 0) this.#emit();
  }

  #add(piece: Uint8Array): void {
    this.#rest.push(piece);
    this.#restBytes += piece.length;
  }

  #emit(): void {
    const line = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    this.#onLine(line);
  }
}
