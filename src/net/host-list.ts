/**
 * The network of an imported recording: hosts with whatever addresses they had, in no common
 * subnet. Host numbers come from a list, and the network is all there is (a prefix length of 0).
 */
import { assert } from "../base/assert.ts";
import type { Family, HostNumber } from "../base/units.ts";
import { addressBytesOf, formatAddress, parseAddress } from "./address.ts";
import { Subnet } from "./subnet.ts";
import { read16, read32 } from "./wire.ts";

/** What begins the text of a list, which could be no subnet's. */
const scheme = "hosts:";

/** By host, from number 1 on: the addresses it has in this family, as text. */
type HostAddresses = readonly (readonly string[])[];

export class HostList extends Subnet {
  readonly #addresses: HostAddresses;
  /** Host numbers by address: IPv4 addresses are numbers, those of IPv6 text. */
  readonly #numbers = new Map<number | string, number>();

  constructor(family: Family, addresses: HostAddresses) {
    super(new Uint8Array(addressBytesOf(family)), 0);
    this.#addresses = addresses;
    for (const [index, texts] of addresses.entries())
      for (const text of texts) this.#numbers.set(keyAt(bytesOf(text), 0, family), index + 1);
  }

  override contains(): boolean {
    return true;
  }

  override hostNumberAt(bytes: Uint8Array, at: number): number {
    return this.#numbers.get(keyAt(bytes, at, this.family)) ?? 0;
  }

  /** Whether the host has an address here that Linux lets a host have on an interface. */
  override has(host: HostNumber): boolean {
    const [first] = this.#addresses[host - 1] ?? [];
    return first !== undefined && isAssignable(bytesOf(first));
  }

  /** The host's first address. */
  override addressBytes(host: HostNumber): Uint8Array {
    const [first] = this.#addresses[host - 1] ?? [];
    assert(first, "a host of the list has an address");
    return bytesOf(first);
  }

  override toString(): string {
    const hosts = this.#addresses.map((texts) => texts.join("+"));
    return `${scheme}${this.family}:${hosts.join(",")}`;
  }
}

/** The networks for hosts with these addresses: one for each family that occurs. */
export function hostLists(hosts: HostAddresses): HostList[] {
  const ofFamily = (family: Family): HostAddresses =>
    hosts.map((texts) => texts.filter((text) => text.includes(":") === (family === 6)));
  return ([4, 6] as const)
    .map((family) => ({ family, addresses: ofFamily(family) }))
    .filter(({ addresses }) => addresses.some((texts) => texts.length > 0))
    .map(({ family, addresses }) => new HostList(family, addresses));
}

/** Reads what `toString` of a subnet or of a list wrote. */
export function parseNetwork(text: string): Subnet {
  if (!text.startsWith(scheme)) return Subnet.parse(text);
  const family = text[scheme.length] === "6" ? 6 : 4;
  const hosts = text.slice(scheme.length + 2).split(",");
  return new HostList(
    family,
    hosts.map((addresses) => (addresses === "" ? [] : addresses.split("+"))),
  );
}

/**
 * Not loopback, "this network", multicast or link-local: those mean something else on each host.
 */
function isAssignable(address: Uint8Array): boolean {
  const [first = 0, second = 0] = address;
  if (address.length === 4) return first !== 0 && first !== 127 && first < 224;
  if (first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return false;
  return formatAddress(address, 0, 6) !== "::1";
}

function keyAt(bytes: Uint8Array, at: number, family: Family): number | string {
  if (family === 4) return read32(bytes, at);
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((offset) => read16(bytes, at + offset));
  return String.fromCharCode(...groups);
}

function bytesOf(text: string): Uint8Array {
  const bytes = parseAddress(text);
  assert(bytes, "the recording has addresses");
  return bytes;
}
