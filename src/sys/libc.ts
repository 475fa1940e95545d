/**
 * The C library, and the only module that knows koffi. Every function takes and returns plain
 * numbers: descriptors, addresses (see memory.ts), lengths. On error they return -1 and leave the
 * code in {@link errno}, which must be read before the next call.
 */
import koffi from "koffi";
import type { Address, Fd } from "../base/units.ts";

const library = koffi.load(null);

/** Binds one C function by its name. Pointers are passed as addresses, which costs koffi nothing. */
function bind<F>(name: string, result: string, parameters: string[]): F {
  return library.func(name, result, parameters) as unknown as F;
}

/** The error code that the last failed call of this thread left. */
export const errno: () => number = () => koffi.errno();

/** Where a typed array's bytes lie. Meant for memory that does not move: see memory.ts. */
export function addressOf(bytes: Uint8Array): Address {
  return Number(koffi.address(bytes)) as Address;
}

export const read: (fd: Fd, to: Address, lengthBytes: number) => number = bind("read", "intptr_t", [
  "int",
  "intptr_t",
  "size_t",
]);
