/** Branded numbers: the same at run time, apart for the compiler, so that a port is never passed as a descriptor. */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A file descriptor of this process. */
export type Fd = Branded<number, "Fd">;
/** A TCP or UDP port, 0 to 65535. */
export type Port = Branded<number, "Port">;
/** The number of a host within the subnet: 10.0.0.7 in 10.0.0.0/24 is 7. The neutral address of a container in both families. */
export type HostNumber = Branded<number, "HostNumber">;
/** An address in memory, as the kernel takes it. Exact: user space has 47 bits, a double 53. */
export type Address = Branded<number, "Address">;

/** Which of the two IP families. */
export type Family = 4 | 6;

/** The host number of a container: the i-th one, from 0, is host i+1 of every subnet. */
export function hostOf(container: number): HostNumber {
  return (container + 1) as HostNumber;
}
