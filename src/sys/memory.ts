import { assert } from "../base/assert.ts";
import type { Address } from "../base/units.ts";
import { MADV_HUGEPAGE } from "./abi.ts";
import { addressOf, madvise } from "./libc.ts";

/** The unit in which the kernel maps memory, and a multiple of every block size that `O_DIRECT` asks for. */
const pageBytes = 4096;

/**
 * A stretch of memory that JavaScript reads and writes as bytes, that system calls take by address,
 * and that threads share. It is a `SharedArrayBuffer`, whose store never moves, so an address stays
 * good for as long as the region is referenced. It begins on a page boundary, as `O_DIRECT` wants.
 */
export interface Region {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly address: Address;
}

/** The unit of the kernel's larger pages (mm/huge_memory.c) on x86-64, and on arm64 with pages of 4 KiB. */
export const hugePageBytes: number = 1 << 21;

/** Makes a zeroed region of `lengthBytes`. */
export function allocateRegion(lengthBytes: number): Region {
  return regionIn(new SharedArrayBuffer(lengthBytes + pageBytes), lengthBytes);
}

/**
 * The same region as seen from another thread: pass `region.bytes.buffer` over, and call this there.
 * The place of the boundary follows from the store's address, which all threads share.
 */
export function regionIn(
  store: SharedArrayBuffer,
  lengthBytes: number,
  boundaryBytes: number = pageBytes,
): Region {
  const base = addressOf(new Uint8Array(store));
  const skip = (boundaryBytes - (base % boundaryBytes)) % boundaryBytes;
  assert(skip + lengthBytes <= store.byteLength, "a region must fit its store");
  return {
    bytes: new Uint8Array(store, skip, lengthBytes),
    view: new DataView(store, skip, lengthBytes),
    address: (base + skip) as Address,
  };
}

/**
 * Asks for huge pages for a region that has not been touched yet: to a disk such memory goes in few long pieces
 * instead of many of 4 KiB. Where the kernel has none to give, the region is as good without.
 */
export function adviseHugePages({ address, bytes }: Region): void {
  madvise(address, bytes.length, MADV_HUGEPAGE);
}
