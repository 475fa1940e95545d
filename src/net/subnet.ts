/**
 * The containers' subnet and the networks derived from it. A container has the same host number in
 * each of these networks, in either family.
 */

import { assert } from "../base/assert.ts";
import { UsageError } from "../base/errors.ts";
import type { Family, HostNumber } from "../base/units.ts";
import { addressBytesOf, formatAddress, parseAddress } from "./address.ts";
import { readBits32, write32 } from "./wire.ts";

/** Host numbers have at most 24 bits, so that they fit into a MAC and into small integers. */
const hostBitsMax = 24;

/** The valid prefix lengths: room for at least two hosts, and less than the whole address space. */
const prefixBounds = {
  4: { least: 4, most: 30, example: "10.0.0.0/24" },
  6: { least: 8, most: 120, example: "fd00::/64" },
} as const;

/** Networks whose addresses Linux refuses to ordinary hosts on interfaces other than `lo`. */
const reservedNetworks = [
  { address: "0.0.0.0", bits: 8, what: '"this network" addresses (0.0.0.0/8)' },
  { address: "127.0.0.0", bits: 8, what: "loopback addresses (127.0.0.0/8)" },
  { address: "224.0.0.0", bits: 4, what: "multicast addresses (224.0.0.0/4)" },
  { address: "::", bits: 8, what: "loopback and IPv4-mapped addresses (::/8)" },
  { address: "fe80::", bits: 10, what: "link-local addresses (fe80::/10)" },
  { address: "ff00::", bits: 8, what: "multicast addresses (ff00::/8)" },
];

/** A network of either family. Immutable: callers must not write to `network`. */
/** In place of a host number: the address is no host's. */
export const noHost = -1;

export class Subnet {
  readonly family: Family;
  readonly prefixBits: number;
  /** The network's address: 4 or 16 bytes, host bits zero. */
  readonly network: Uint8Array;
  /** The number of hosts: they are numbered from 1 to `capacity`. */
  readonly capacity: number;
  // For the data path, as 32-bit words: the network's address; its prefix mask; and the mask of all
  // bits above the host number. The two masks differ only in subnets with more than 24 host bits.
  readonly #words: Int32Array;
  readonly #networkMask: Int32Array;
  readonly #fixedMask: Int32Array;

  /**
   * The network of `prefixBits` that `address` (4 or 16 bytes, copied) lies in. See {@link
   * Subnet.parse}.
   */
  constructor(address: Uint8Array, prefixBits: number) {
    const addressBits = address.length * 8;
    const hostBits = Math.min(addressBits - prefixBits, hostBitsMax);
    this.family = address.length === 4 ? 4 : 6;
    this.prefixBits = prefixBits;
    this.network = maskedTo(address, prefixBits);
    this.capacity = 2 ** hostBits - 2;
    this.#words = wordsOf(this.network);
    const allOnes = new Uint8Array(address.length).fill(0xff);
    this.#networkMask = wordsOf(maskedTo(allOnes, prefixBits));
    this.#fixedMask = wordsOf(maskedTo(allOnes, addressBits - hostBits));
  }

  /** Parses "10.0.0.0/24" or "fd00::/64"; throws a {@link UsageError} that says how to fix it. */
  static parse(text: string): Subnet {
    const [addressText = "", prefixText, ...rest] = text.split("/");
    const address = parseAddress(addressText);
    if (address === undefined || rest.length > 0) {
      throw new UsageError(`"${text}" is not a subnet: write it like 10.0.0.0/24 or fd00::/64`);
    }
    const subnet = new Subnet(address, parsePrefix(text, address, prefixText));
    if (!subnet.network.every((byte, i) => byte === address[i])) {
      throw new UsageError(`${text} has host bits set: did you mean ${subnet.toString()}?`);
    }
    const reserved = reservedIn(subnet);
    if (reserved !== undefined) {
      const { example } = prefixBounds[subnet.family];
      throw new UsageError(`${text} holds ${reserved}: choose another, such as ${example}`);
    }
    return subnet;
  }

  /** Whether the address at `at`, of this subnet's family, belongs to the subnet. */
  contains(bytes: Uint8Array, at: number): boolean {
    return this.#agrees(bytes, at, this.#networkMask);
  }

  /**
   * The host number of the address at `at`, of this subnet's family: its low bits. Returns {@link
   * noHost} if the address lies outside or exceeds 24 host bits. 0 is the network's own address; on
   * IPv4, `capacity + 1` is the broadcast address (if the subnet has at most 24 host bits).
   */
  hostNumberAt(bytes: Uint8Array, at: number): number {
    if (!this.#agrees(bytes, at, this.#fixedMask)) return noHost;
    const last = this.#words.length - 1;
    return readBits32(bytes, at + 4 * last) & ~(this.#fixedMask[last] as number);
  }

  /** Whether the host has an address here: in a subnet, every host has one. */
  has(_host: HostNumber): boolean {
    return true;
  }

  /** The address of a host: 4 or 16 bytes that belong to the caller. */
  addressBytes(host: HostNumber): Uint8Array {
    assert(host >= 0 && host <= this.capacity + 1, "a host is within its subnet");
    const address = this.network.slice();
    const last = this.#words.length - 1;
    write32(address, 4 * last, (this.#words[last] as number) | host);
    return address;
  }

  /** The address of a host as text: "10.0.0.7", "fd00::7". */
  addressOf(host: HostNumber): string {
    return formatAddress(this.addressBytes(host), 0, this.family);
  }

  toString(): string {
    return `${formatAddress(this.network, 0, this.family)}/${this.prefixBits}`;
  }

  #agrees(bytes: Uint8Array, at: number, mask: Int32Array): boolean {
    const words = this.#words;
    for (let i = 0; i < words.length; i++) {
      const difference = readBits32(bytes, at + 4 * i) ^ (words[i] as number);
      if ((difference & (mask[i] as number)) !== 0) return false;
    }
    return true;
  }
}

/** The run's subnet of this family. The caller knows that there is one. */
export function subnetFor(subnets: readonly Subnet[], family: Family): Subnet {
  const subnet = subnets.find((candidate) => candidate.family === family);
  assert(subnet, `there is a subnet for IPv${family}`);
  return subnet;
}

/** The IPv6 companion of an IPv4 subnet: the ULA (RFC 4193) fd70:6c67:<its four bytes>::/64. */
export function ulaFor(subnet4: Subnet): Subnet {
  assert(subnet4.family === 4, "an IPv6 subnet needs no ULA to go with it");
  const address = bytesOf("fd70:6c67::");
  address.set(subnet4.network, 4);
  return new Subnet(address, 64);
}

function parsePrefix(text: string, address: Uint8Array, prefixText: string | undefined): number {
  const family: Family = address.length === 4 ? 4 : 6;
  const { least, most, example } = prefixBounds[family];
  if (prefixText === undefined) {
    throw new UsageError(`"${text}" has no prefix length: write it like ${example}`);
  }
  const prefixBits = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (!(prefixBits >= least && prefixBits <= most)) {
    throw new UsageError(
      `"${text}" has a wrong prefix length: on IPv${family} it is ${least} to ${most}, as in ${example}`,
    );
  }
  return prefixBits;
}

/** Names the kind of reserved addresses that the subnet overlaps, if any. */
function reservedIn(subnet: Subnet): string | undefined {
  return reservedNetworks.find(({ address, bits }) => {
    const reserved = bytesOf(address);
    const sameFamily = reserved.length === addressBytesOf(subnet.family);
    // Two networks overlap if they agree in the shorter of the two prefixes.
    return sameFamily && samePrefix(reserved, subnet.network, Math.min(bits, subnet.prefixBits));
  })?.what;
}

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const maskedB = maskedTo(b, bits);
  return maskedTo(a, bits).every((byte, i) => byte === maskedB[i]);
}

function maskedTo(address: Uint8Array, prefixBits: number): Uint8Array {
  return address.map((byte, i) => {
    const kept = Math.min(Math.max(prefixBits - 8 * i, 0), 8);
    return byte & (0xff00 >>> kept);
  });
}

function wordsOf(address: Uint8Array): Int32Array {
  return Int32Array.from({ length: address.length / 4 }, (_, i) => readBits32(address, 4 * i));
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  assert(address !== undefined, `${text} is an address`);
  return address;
}
