import { expect, test } from "vitest";
import type { HostNumber } from "../../../src/base/units.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { hostLists, parseNetwork } from "../../../src/net/host-list.ts";
import { Subnet } from "../../../src/net/subnet.ts";

const bytes = (text: string): Uint8Array => parseAddress(text) as Uint8Array;

test("hosts of any addresses are numbered, in both families, and survive as text", () => {
  const hosts = [
    ["10.1.2.3", "203.0.113.9"],
    ["2001:db8::7"],
    ["127.0.0.1", "fe80::1"],
    ["8.8.8.8"],
  ];
  const [ipv4, ipv6] = hostLists(hosts).map((list) => parseNetwork(list.toString()));
  const numbers = ["10.1.2.3", "203.0.113.9", "127.0.0.1", "8.8.8.8", "8.8.4.4"];
  expect(numbers.map((text) => ipv4?.hostNumberAt(bytes(text), 0))).toEqual([1, 1, 3, 4, 0]);
  expect(ipv6?.hostNumberAt(bytes("2001:db8::7"), 0)).toBe(2);
  expect([1, 2, 3, 4].map((host) => ipv4?.has(host as HostNumber))).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect([1, 2, 3, 4].map((host) => ipv6?.has(host as HostNumber))).toEqual([
    false,
    true,
    false,
    false,
  ]);
  expect(ipv4?.addressOf(4 as HostNumber)).toBe("8.8.8.8");
  expect(hostLists([["10.0.0.1"]])).toHaveLength(1);
  expect(String(parseNetwork("10.0.0.0/24"))).toBe(String(Subnet.parse("10.0.0.0/24")));
});
