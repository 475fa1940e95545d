/**
 * The bytes of one direction, for a decoder to read.
 *
 * A decoder is a generator. It yields `undefined` when it needs more bytes, and continues when they
 * have arrived. So a decoder reads like a description of its format, and yields the same messages
 * however the stream is split into pieces.
 *
 * Memory is bounded: an input holds at most {@link mostHeldBytes}, whatever lengths the bytes
 * claim.
 */

/**
 * The position of a piece of a stream in a recording: its event, and its time since the run's
 * start.
 */
export interface Moment {
  readonly event: number;
  readonly atNs: number;
}

/** Reads a T, and yields when it needs more bytes. */
export type Reading<T> = Generator<undefined, T, void>;

/** The bytes are not in the decoder's format. Decoders throw it, and their driver catches it. */
export class Garbled extends Error {
  override readonly name = "Garbled";
}

/** The beginning of a message: its offset in the direction, and its moment. */
export interface Start {
  readonly offset: number;
  readonly moment: Moment;
}

/** The most bytes held: no decoder needs more of a message head at once. */
const mostHeldBytes = 256 * 1024;
/** The longest line; nginx and Node allow less. */
const mostLineBytes = 32 * 1024;

const newline = 0x0a;

export class Input {
  /** The buffer: the current message begins at `#kept`, unread bytes at `#at`. */
  #bytes: Uint8Array = nothing;
  #kept = 0;
  #at = 0;
  #end = 0;
  /** Whether this object owns `#bytes` and may write to it. */
  #isOwn = false;
  /** The offset of `#bytes` in the direction. */
  #base = 0;
  #messageStart: Start | undefined;
  /** The offsets in the direction of the pieces in `#bytes`. */
  readonly #pieces: { readonly offset: number; readonly moment: Moment }[] = [];

  /** Adds the next bytes, and refers to the caller's memory until `settle`. */
  push(bytes: Uint8Array, moment: Moment): void {
    const isEmpty = this.#kept === this.#end;
    if (isEmpty) {
      this.#base += this.#end;
      // `slice` of a Buffer would not copy.
      this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#kept = this.#at = 0;
      this.#end = bytes.length;
      this.#isOwn = false;
      this.#pieces.length = 0;
    } else this.#append(bytes);
    this.#pieces.push({ offset: this.#base + this.#end - bytes.length, moment });
  }

  /** Copies the bytes that are still needed, so that the caller may reuse its memory. */
  settle(): void {
    if (this.#isOwn || this.#kept === this.#end) return;
    this.#own(this.#end - this.#kept);
  }

  /** The number of bytes read in this direction. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** The number of bytes received in this direction. */
  get endOffset(): number {
    return this.#base + this.#end;
  }

  /** The bytes of the current message that are still held: for a preview. */
  get heldBytes(): Uint8Array {
    return this.#bytes.subarray(this.#kept, this.#end);
  }

  /** The start of `heldBytes`. */
  get heldStart(): Start {
    return this.#startAt(this.#kept);
  }

  /** The beginning of the current message; undefined before its first byte. */
  get messageStart(): Start | undefined {
    return this.#messageStart;
  }

  /** Discards everything that has arrived so far. */
  drop(): void {
    this.#kept = this.#at = this.#end;
    this.#messageStart = undefined;
  }

  /** Releases the bytes of this message that were read so far. */
  release(): void {
    this.#kept = this.#at;
  }

  /** Marks the beginning of a message, and waits for its first byte. */
  *start(): Reading<Start> {
    this.#messageStart = undefined;
    this.#kept = this.#at;
    yield* this.#need(1);
    this.#messageStart = this.#startAt(this.#at);
    return this.#messageStart;
  }

  /**
   * Returns the next bytes without consuming them. They are valid until the decoder next yields.
   */
  *peek(lengthBytes: number): Reading<Uint8Array> {
    yield* this.#need(lengthBytes);
    return this.#bytes.subarray(this.#at, this.#at + lengthBytes);
  }

  /** Reads the next bytes. They are valid until the decoder next yields. */
  *take(lengthBytes: number): Reading<Uint8Array> {
    yield* this.#need(lengthBytes);
    this.#at += lengthBytes;
    return this.#bytes.subarray(this.#at - lengthBytes, this.#at);
  }

  /** Reads at most `mostBytes` of the next bytes, and skips the rest. */
  *takeSome(lengthBytes: number, mostBytes: number): Reading<Uint8Array> {
    if (lengthBytes <= mostBytes) return yield* this.take(lengthBytes);
    const some = (yield* this.take(mostBytes)).slice();
    yield* this.skip(lengthBytes - mostBytes);
    return some;
  }

  /**
   * Reads at least one and at most `mostBytes` of the next bytes, as many as there are. Releases
   * all bytes before them.
   */
  *some(mostBytes: number): Reading<Uint8Array> {
    this.#kept = this.#at;
    yield* this.#need(1);
    this.#at = Math.min(this.#end, this.#at + mostBytes);
    return this.#bytes.subarray(this.#kept, this.#at);
  }

  /** Skips any number of bytes without holding them. */
  *skip(lengthBytes: number): Reading<void> {
    for (let left = lengthBytes; left > 0;) {
      if (this.#at === this.#end) {
        this.#kept = this.#at;
        yield;
        continue;
      }
      const passed = Math.min(left, this.#end - this.#at);
      this.#at += passed;
      left -= passed;
    }
  }

  /** Reads a line without its end, which is LF or CR LF. */
  *line(): Reading<string> {
    for (let length = 0; ; length = this.#end - this.#at) {
      yield* this.#need(length + 1);
      const end = this.#bytes.indexOf(newline, this.#at + length);
      const isWhole = end >= 0 && end < this.#end;
      if ((isWhole ? end : this.#end) - this.#at > mostLineBytes) throw new Garbled("a long line");
      if (!isWhole) continue;
      const line = textOf(this.#bytes.subarray(this.#at, end));
      this.#at = end + 1;
      return line.endsWith("\r") ? line.slice(0, -1) : line;
    }
  }

  *#need(lengthBytes: number): Reading<void> {
    if (this.#at - this.#kept + lengthBytes > mostHeldBytes) throw new Garbled("a long message");
    while (this.#end - this.#at < lengthBytes) yield;
  }

  #startAt(at: number): Start {
    const offset = this.#base + at;
    const piece = this.#pieces.findLast((one) => one.offset <= offset);
    return { offset, moment: piece?.moment ?? { event: 0, atNs: 0 } };
  }

  #append(bytes: Uint8Array): void {
    const held = this.#end - this.#kept;
    if (!this.#isOwn || this.#end + bytes.length > this.#bytes.length)
      this.#own(2 * (held + bytes.length));
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Moves the held bytes to the beginning of a buffer that this object owns. */
  #own(capacityBytes: number): void {
    const own = new Uint8Array(capacityBytes);
    own.set(this.heldBytes);
    this.#base += this.#kept;
    this.#at -= this.#kept;
    this.#end -= this.#kept;
    this.#kept = 0;
    this.#bytes = own;
    this.#isOwn = true;
    const first = this.#pieces.findLastIndex((one) => one.offset <= this.#base);
    if (first > 0) this.#pieces.splice(0, first);
  }
}

const nothing: Uint8Array = new Uint8Array(0);

const decoder = new TextDecoder();

/** Bytes as UTF-8; invalid ones become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
