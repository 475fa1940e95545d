/** The hosts of a capture. Addresses are numbered in the order of appearance. */
import type { Family } from "../../base/units.ts";
import { addressBytesOf } from "../../net/address.ts";
import { read16, read32 } from "../../net/wire.ts";

export class HostTable {
  /** By host number: 4 or 16 bytes. */
  readonly addresses: Uint8Array[] = [];
  readonly #ipv4 = new Map<number, number>();
  readonly #ipv6 = new Map<string, number>();

  /** The number of the host with the address at `at`. */
  numberAt(bytes: Uint8Array, at: number, family: Family): number {
    return family === 4 ? this.#ipv4At(bytes, at) : this.#ipv6At(bytes, at);
  }

  #ipv4At(bytes: Uint8Array, at: number): number {
    const key = read32(bytes, at);
    const known = this.#ipv4.get(key);
    if (known !== undefined) return known;
    const number = this.#add(bytes, at, 4);
    this.#ipv4.set(key, number);
    return number;
  }

  #ipv6At(bytes: Uint8Array, at: number): number {
    const key = String.fromCharCode(
      read16(bytes, at),
      read16(bytes, at + 2),
      read16(bytes, at + 4),
      read16(bytes, at + 6),
      read16(bytes, at + 8),
      read16(bytes, at + 10),
      read16(bytes, at + 12),
      read16(bytes, at + 14),
    );
    const known = this.#ipv6.get(key);
    if (known !== undefined) return known;
    const number = this.#add(bytes, at, 6);
    this.#ipv6.set(key, number);
    return number;
  }

  #add(bytes: Uint8Array, at: number, family: Family): number {
    this.addresses.push(bytes.slice(at, at + addressBytesOf(family)));
    return this.addresses.length - 1;
  }
}

/** Whether an address belongs to a single host: not multicast, broadcast or unspecified. */
export function isHost(address: Uint8Array): boolean {
  const first = address[0] as number;
  if (address.every((byte) => byte === 0)) return false;
  return address.length === 16 ? first !== 0xff : first < 224;
}
