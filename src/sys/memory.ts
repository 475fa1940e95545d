import { assert } from "../base/assert.ts";
import type { Address } from "../base/units.ts";
import { addressOf } from "./libc.ts";

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

/** Makes a zeroed region of `lengthBytes`. */
export function allocateRegion(lengthBytes: number): Region {
  return regionIn(new SharedArrayBuffer(lengthBytes + pageBytes), lengthBytes);
}

/**
 * The same region as seen from another thread: pass `region.bytes.buffer` over, and call this there.
 * The place of the page boundary follows from the store's address, which all threads share.
 */
export function regionIn(store: SharedArrayBuffer, lengthBytes: number): Region {
  const base = addressOf(new Uint8Array(store));
  const skip = (pageBytes - (base % pageBytes)) % pageBytes;
  assert(skip + lengthBytes <= store.byteLength, "a region must fit its store");
  return {
    bytes: new Uint8Array(store, skip, lengthBytes),
    view: new DataView(store, skip, lengthBytes),
    address: (base + skip) as Address,
  };
}
