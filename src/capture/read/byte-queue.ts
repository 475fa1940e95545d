/** The unread part of a file that arrives in chunks, as one contiguous buffer. */

const initialBytes = 1 << 16;

/**
 * Holds the bytes that were pushed and not yet taken. It grows to the longest block plus one chunk.
 * {@link ByteQueue.push} may replace `bytes` and `view`.
 */
export class ByteQueue {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(initialBytes);
  view: DataView = new DataView(this.bytes.buffer);
  /** The start of the unread bytes; `length` is their number. */
  at = 0;
  length = 0;
  /** The file offset of the byte at `at`. */
  position = 0;

  /** Adds the file's next bytes. The caller may reuse `chunk` at once. */
  push(chunk: Uint8Array): void {
    if (this.at + this.length + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.at + this.length);
    this.length += chunk.length;
  }

  /** Drops the next `lengthBytes` bytes, which stay readable until the next push. */
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
