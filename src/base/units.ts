/**
 * Branded numbers: plain numbers at run time, but the compiler never takes a port for a descriptor.
 */
import type { ContainerIndex } from "./ids.ts";
declare const brand: unique symbol;
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };
/** A number of this kind, or of no kind; never one of another kind. */
export type Kind<T, Name extends string> = T & { readonly [brand]?: Name };

/** A file descriptor of this process. */
export type Fd = Branded<number, "Fd">;
/** A TCP or UDP port, 0 to 65535. */
export type Port = Branded<number, "Port">;
/** A host's number within the subnet, in either family: 10.0.0.7 in 10.0.0.0/24 is host 7. */
export type HostNumber = Branded<number, "HostNumber">;
/** A memory address, as system calls take it. Exact: user space has 47 bits, a double 53. */
export type Address = Branded<number, "Address">;

/** The IP version. */
export type Family = 4 | 6;

/** The host number of a container: container i, counted from 0, is host i+1 of every subnet. */
export function hostOf(container: ContainerIndex): HostNumber {
  return (container + 1) as HostNumber;
}
