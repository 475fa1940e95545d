import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/base/errors.ts";
import type { HostNumber } from "../../../src/base/units.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { Subnet, subnetFor, ulaFor } from "../../../src/net/subnet.ts";
import { bytesOfLength, families } from "./naive.ts";

const host = (number: number): HostNumber => number as HostNumber;
const bytesOf = (text: string): Uint8Array => parseAddress(text) ?? new Uint8Array();

/** Any network, reserved ones too. */
const subnets = families.chain((family) =>
  fc
    .tuple(
      bytesOfLength(family === 4 ? 4 : 16),
      fc.integer(family === 4 ? { min: 4, max: 30 } : { min: 8, max: 120 }),
    )
    .map(([address, prefixBits]) => new Subnet(address, prefixBits)),
);

describe("Subnet.parse", () => {
  it.each(["10.0.0.0/24", "16.0.0.0/4", "192.168.1.4/30", "240.0.0.0/8", "fd00::/64", "2000::/8"])(
    "reads %s, and writes it back",
    (text) => {
      expect(Subnet.parse(text).toString()).toBe(text);
    },
  );

  it("knows family, prefix and network", () => {
    expect(Subnet.parse("10.1.0.0/16")).toMatchObject({
      family: 4,
      prefixBits: 16,
      network: Uint8Array.of(10, 1, 0, 0),
    });
    expect(Subnet.parse("fd00:1::/32").family).toBe(6);
  });

  it.each([
    ["10.0.0.5/24", "10.0.0.5/24 has host bits set: did you mean 10.0.0.0/24?"],
    ["fd00::1/64", "fd00::1/64 has host bits set: did you mean fd00::/64?"],
    ["nonsense", '"nonsense" is not a subnet: write it like 10.0.0.0/24 or fd00::/64'],
    ["10.0.0/24", '"10.0.0/24" is not a subnet: write it like 10.0.0.0/24 or fd00::/64'],
    ["10.0.0.0/24/1", '"10.0.0.0/24/1" is not a subnet: write it like 10.0.0.0/24 or fd00::/64'],
    ["10.0.0.0", '"10.0.0.0" has no prefix length: write it like 10.0.0.0/24'],
    [
      "10.0.0.0/31",
      '"10.0.0.0/31" has a wrong prefix length: on IPv4 it is 4 to 30, as in 10.0.0.0/24',
    ],
    [
      "fd00::/121",
      '"fd00::/121" has a wrong prefix length: on IPv6 it is 8 to 120, as in fd00::/64',
    ],
    [
      "127.0.0.0/24",
      "127.0.0.0/24 holds loopback addresses (127.0.0.0/8): choose another, such as 10.0.0.0/24",
    ],
  ])("refuses %s in one line", (text, message) => {
    expect(() => Subnet.parse(text)).toThrow(new UsageError(message));
  });

  it.each(["10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/2 4", "10.0.0.0/3", "fd00::/7"])(
    "refuses %s",
    (text) => {
      expect(() => Subnet.parse(text)).toThrow(/wrong prefix length/);
    },
  );

  it.each([
    "0.0.0.0/4",
    "112.0.0.0/4",
    "239.1.0.0/16",
    "::/64",
    "ff00::/8",
    "fe80::/64",
    "fe00::/8",
  ])("refuses %s, which holds reserved addresses", (text) => {
    expect(() => Subnet.parse(text)).toThrow(/holds .* choose another/);
  });
});

describe("hosts of a subnet", () => {
  it.each([
    ["10.0.0.0/30", 2],
    ["10.0.0.0/24", 254],
    ["10.0.0.0/8", 2 ** 24 - 2],
    ["16.0.0.0/4", 2 ** 24 - 2],
    ["fd00::/120", 254],
    ["fd00::/64", 2 ** 24 - 2],
  ])("%s has room for %i", (text, capacity) => {
    expect(Subnet.parse(text).capacity).toBe(capacity);
  });

  it("have addresses", () => {
    expect(Subnet.parse("10.0.0.0/24").addressOf(host(7))).toBe("10.0.0.7");
    expect(Subnet.parse("10.0.0.0/8").addressOf(host(0x010203))).toBe("10.1.2.3");
    expect(Subnet.parse("fd00::/64").addressOf(host(0x10002))).toBe("fd00::1:2");
    expect(Subnet.parse("10.0.0.4/30").addressBytes(host(2))).toEqual(Uint8Array.of(10, 0, 0, 6));
  });

  it.each([-1, 256, 2 ** 24])("have no number %i in a /24", (number) => {
    expect(() => Subnet.parse("10.0.0.0/24").addressOf(host(number))).toThrow(/bug in plg/);
  });

  it.each([
    ["10.0.0.0/24", "10.0.0.7", true, 7],
    ["10.0.0.0/24", "10.0.0.0", true, 0],
    ["10.0.0.0/24", "10.0.0.255", true, 255],
    ["10.0.0.0/24", "10.0.1.7", false, -1],
    ["192.168.1.4/30", "192.168.1.6", true, 2],
    ["192.168.1.4/30", "192.168.1.8", false, -1],
    ["240.0.0.0/4", "240.0.0.9", true, 9],
    ["240.0.0.0/4", "241.0.0.9", true, -1],
    ["fd00::/64", "fd00::1:2", true, 0x10002],
    ["fd00::/64", "fd00::100:2", true, -1],
    ["fd00::/64", "fd00::1:0:0:2", true, -1],
    ["fd00::/64", "fd00:0:0:1::2", false, -1],
    ["fd00::/64", "fd00::1:0:2", true, -1],
    ["fd00:ab00::/30", "fd00:ab03::5", true, -1],
    ["fd00:ab00::/30", "fd00:ab04::5", false, -1],
  ])("%s: is %s within? %s; its number: %i", (text, address, within, number) => {
    const subnet = new Subnet(bytesOf(text.split("/")[0] ?? ""), Number(text.split("/")[1]));
    const bytes = Uint8Array.from([1, 2, 3, ...bytesOf(address)]);
    expect(subnet.contains(bytes, 3)).toBe(within);
    expect(subnet.hostNumberAt(bytes, 3)).toBe(number);
  });
});

describe("hosts of any subnet", () => {
  it("are found again by their addresses", () => {
    fc.assert(
      fc.property(subnets, fc.double({ min: 0, max: 1, noNaN: true }), (subnet, share) => {
        const number = Math.round(share * subnet.capacity);
        const address = subnet.addressBytes(host(number));
        expect(subnet.hostNumberAt(address, 0)).toBe(number);
        expect(subnet.contains(address, 0)).toBe(true);
        expect(bytesOf(subnet.addressOf(host(number)))).toEqual(address);
      }),
    );
  });

  it("leave the subnet as soon as one bit of the prefix differs", () => {
    fc.assert(
      fc.property(subnets, fc.nat(), (subnet, n) => {
        const bit = n % subnet.prefixBits;
        const address = subnet.addressBytes(host(1));
        address[bit >> 3] = (address[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        expect(subnet.contains(address, 0)).toBe(false);
        expect(subnet.hostNumberAt(address, 0)).toBe(-1);
      }),
    );
  });
});

describe("subnetFor", () => {
  const both = ["10.0.0.0/24", "fd00::/64"].map((text) => Subnet.parse(text));

  it("is the one of the family", () => {
    expect(subnetFor(both, 4)).toBe(both[0]);
    expect(subnetFor(both, 6)).toBe(both[1]);
  });

  it("asserts that there is one", () => {
    expect(() => subnetFor(both.slice(0, 1), 6)).toThrow("there is a subnet for IPv6");
  });
});

describe("ulaFor", () => {
  it.each([
    ["10.0.0.0/24", "fd70:6c67:a00::/64"],
    ["192.168.1.4/30", "fd70:6c67:c0a8:104::/64"],
  ])("of %s is %s", (subnet, ula) => {
    expect(ulaFor(Subnet.parse(subnet)).toString()).toBe(ula);
  });

  it("is for IPv4 only", () => {
    expect(() => ulaFor(Subnet.parse("fd00::/64"))).toThrow(/bug in plg/);
  });
});
