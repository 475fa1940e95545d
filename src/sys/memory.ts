import { assert } from "../base/assert.ts";
import type { Address } from "../base/units.ts";
import { MADV_HUGEPAGE } from "./abi.ts";
import { addressOf, madvise } from "./libc.ts";

/** The kernel's page size, and a multiple of every block size that `O_DIRECT` requires. */
const pageBytes = 4096;

/**
 * Memory that JavaScript accesses as bytes, system calls by address, and several threads at once.
 * It is a `SharedArrayBuffer`, whose store never moves, so the address is valid as long as the
 * region is referenced. It starts on a page boundary, as `O_DIRECT` requires.
 */
export interface Region {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly address: Address;
}

/** The size of huge pages (mm/huge_memory.c) on x86-64, and on arm64 with pages of 4 KiB. */
export const hugePageBytes: number = 1 << 21;

/** Allocates a zeroed region of `lengthBytes`. */
export function allocateRegion(lengthBytes: number): Region {
  return regionIn(new SharedArrayBuffer(lengthBytes + pageBytes), lengthBytes);
}

/**
 * The same region in another thread: send `region.bytes.buffer` there and pass it to this function.
 * The start of the region follows from the store's address, which is the same in all threads.
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
 * Requests huge pages for an untouched region: a disk then reads few long pieces of memory instead
 * of many of 4 KiB. Without huge pages the region works just as well, only more slowly.
 */
export function adviseHugePages({ address, bytes }: Region): void {
  madvise(address, bytes.length, MADV_HUGEPAGE);
}
