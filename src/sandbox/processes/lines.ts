/** Cuts a stream of bytes into lines: pure. Overlong lines are split, which bounds the memory. */
const newline = 0x0a;
const longestBytes = 0x1_0000;

export class LineCutter {
  readonly #onLine: (line: Uint8Array) => void;
  #rest: Uint8Array[] = [];
  #restBytes = 0;

  /** `onLine` takes each line without its newline, in memory of its own. */
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

  /** Ends the stream. Any remaining bytes become the last line. */
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
