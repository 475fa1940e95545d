/**
 * Equal pieces of a region that a single recvmsg(2) or sendmsg(2) fills or sends: a `struct msghdr`
 * with its vector of `struct iovec`. The gaps between pieces are equal, too: in a recording, each
 * holds the end of one record and the header of the next.
 */
import { assert } from "../base/assert.ts";
import type { Address, Fd } from "../base/units.ts";
import { iovec, MSG_NOSIGNAL, msghdr } from "./abi.ts";
import { recvmsg, sendmsg } from "./libc.ts";
import { allocateRegion, type Region } from "./memory.ts";

/**
 * The longest vector for which the kernel allocates no memory (UIO_FASTIOV in include/linux/uio.h).
 */
export const mostPieces = 8;

const high32 = 2 ** 32;

export class Pieces {
  readonly region: Region;
  readonly #header = allocateRegion(msghdr.sizeBytes + mostPieces * iovec.sizeBytes);
  #at = 0;
  #pieceBytes = 0;
  #stepBytes = 0;
  #count = 0;

  /** No pieces yet: call {@link layOut} before use. */
  constructor(region: Region) {
    this.region = region;
    const { view, address } = this.#header;
    writeAddress(view, msghdr.vectorAt, (address + msghdr.sizeBytes) as Address);
  }

  /** The whole region as a single piece. */
  static whole(region: Region): Pieces {
    const pieces = new Pieces(region);
    pieces.layOut(0, region.bytes.length, 0, 1);
    return pieces;
  }

  /**
   * Lays out `count` pieces of `pieceBytes`, the first at `at` in the region, `stepBytes` apart.
   */
  layOut(at: number, pieceBytes: number, stepBytes: number, count: number): void {
    assert(count > 0 && count <= mostPieces, "a vector has 1 to 8 pieces");
    this.#at = at;
    this.#pieceBytes = pieceBytes;
    this.#stepBytes = stepBytes;
    this.#count = count;
    const { view } = this.#header;
    const address = this.region.address + at;
    for (let i = 0; i < count; i++) {
      writeAddress(view, vectorAt(i), (address + i * stepBytes) as Address);
      view.setUint32(vectorAt(i) + iovec.lengthAt, pieceBytes, true);
    }
    view.setUint32(msghdr.countAt, count, true);
  }

  /** The offset of the first piece in the region. */
  get at(): number {
    return this.#at;
  }

  /** The combined length of all pieces. */
  get capacityBytes(): number {
    return this.#count * this.#pieceBytes;
  }

  /**
   * Receives into the pieces in order. Returns the length, 0 at the stream's end, or -1 with errno
   * set.
   */
  receive(fd: Fd): number {
    return recvmsg(fd, this.#header.address, 0);
  }

  /**
   * Sends the first `lengthBytes`. Returns the number of bytes the kernel took, or -1 with errno
   * set.
   */
  send(fd: Fd, lengthBytes: number): number {
    const { view, address } = this.#header;
    const last = Math.ceil(lengthBytes / this.#pieceBytes) - 1;
    view.setUint32(msghdr.countAt, last + 1, true);
    view.setUint32(vectorAt(last) + iovec.lengthAt, lengthBytes - last * this.#pieceBytes, true);
    const sent = sendmsg(fd, address, MSG_NOSIGNAL);
    view.setUint32(vectorAt(last) + iovec.lengthAt, this.#pieceBytes, true);
    view.setUint32(msghdr.countAt, this.#count, true);
    return sent;
  }

  /** Copies bytes `from` to `to` (exclusive) of the combined content to the start of `out`. */
  copyTo(out: Uint8Array, from: number, to: number): void {
    const { bytes } = this.region;
    for (let done = from; done < to;) {
      const within = done % this.#pieceBytes;
      const length = Math.min(this.#pieceBytes - within, to - done);
      const start = this.#at + ((done - within) / this.#pieceBytes) * this.#stepBytes + within;
      out.set(bytes.subarray(start, start + length), done - from);
      done += length;
    }
  }
}

function vectorAt(index: number): number {
  return msghdr.sizeBytes + index * iovec.sizeBytes;
}

/** Writes a pointer, which is below 2^53 on every Linux machine. */
function writeAddress(view: DataView, at: number, address: Address): void {
  view.setUint32(at, address % high32, true);
  view.setUint32(at + 4, Math.floor(address / high32), true);
}
