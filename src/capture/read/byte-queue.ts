/** The unread part of a file that arrives in chunks, as one contiguous buffer. */

const initialBytes = 1 << 16;

/**
 * Holds what has been pushed and not yet been taken. It grows to the longest block plus one chunk.
 * `bytes` and `view` change with {@link ByteQueue.push}.
 */
export class ByteQueue {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(initialBytes);
  view: DataView = new DataView(this.bytes.buffer);
  /** Where the unread bytes begin, and how many there are. */
  at = 0;
  length = 0;
  /** The offset in the file of what is at `at`. */
  position = 0;

  /** Takes the file's next bytes; the caller may use `chunk` again at once. */
  push(chunk: Uint8Array): void {
    if (this.at + this.length + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.at + this.length);
    this.length += chunk.length;
  }

  /** Drops the next `lengthBytes`, which stay readable until the next push. */
  take(lengthBytes: number): void {
    this.at += lengthBytes;
    this.length -= lengthBytes;
    this.position += lengthBytes;
  }

  #makeRoom(lengthBytes: number): void {
    const held = this.bytes.subarray(this.at, this.at + this.length);
    if (this.length + lengthBytes > this.bytes.length) {
      const larger = new Uint8Array(2 * (this.length + lengthBytes));
      larger.set(held);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    } else {
      this.bytes.copyWithin(0, this.at, this.at + this.length);
    }
    this.at = 0;
  }
}
