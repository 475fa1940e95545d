/**
 * Pieces of one region that a single system call fills, or sends, one behind the other: the `struct msghdr`
 * of recvmsg(2) with its vector of `struct iovec`. The pieces are of the same length, and so is what lies
 * between two of them: in a recording the tail of one record and the header of the next.
 */
import { assert } from "../base/assert.ts";
import type { Address, Fd } from "../base/units.ts";
import { iovec, MSG_NOSIGNAL, msghdr } from "./abi.ts";
import { recvmsg, sendmsg } from "./libc.ts";
import { allocateRegion, type Region } from "./memory.ts";

/** As many as the kernel takes without allocating memory for the vector (UIO_FASTIOV in include/linux/uio.h). */
export const mostPieces = 8;

const high32 = 2 ** 32;

export class Pieces {
  readonly region: Region;
  readonly #header = allocateRegion(msghdr.sizeBytes + mostPieces * iovec.sizeBytes);
  #at = 0;
  #pieceBytes = 0;
  #stepBytes = 0;
  #count = 0;

  /** Pieces of `region`; there are none before {@link layOut}. */
  constructor(region: Region) {
    this.region = region;
    const { view, address } = this.#header;
    writeAddress(view, msghdr.vectorAt, (address + msghdr.sizeBytes) as Address);
  }

  /** A region as a single piece. */
  static whole(region: Region): Pieces {
    const pieces = new Pieces(region);
    pieces.layOut(0, region.bytes.length, 0, 1);
    return pieces;
  }

  /** Lays out `count` pieces of `pieceBytes`: the first at `at` in the region, each next one `stepBytes` further on. */
  layOut(at: number, pieceBytes: number, stepBytes: number, count: number): void {
    assert(count > 0 && count <= mostPieces, "a vector has its limits");
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

  /** Where the first begins in the region. */
  get at(): number {
    return this.#at;
  }

  /** How much all of them hold. */
  get capacityBytes(): number {
    return this.#count * this.#pieceBytes;
  }

  /** Receives into them, in order. Returns the length, 0 at the stream's end, or -1 with an errno. */
  receive(fd: Fd): number {
    return recvmsg(fd, this.#header.address, 0);
  }

  /** Sends the first `lengthBytes` of what they hold. Returns how many the kernel took, or -1 with an errno. */
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

  /** Copies their content from byte `from` up to byte `to` to the beginning of `out`. */
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

/** A pointer, which is below 2^53 wherever Linux runs. */
function writeAddress(view: DataView, at: number, address: Address): void {
  view.setUint32(at, address % high32, true);
  view.setUint32(at + 4, Math.floor(address / high32), true);
}
