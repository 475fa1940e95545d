import { isIP, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../../../src/net/address.ts";
import { bytesOfLength, families, toHex } from "./naive.ts";

describe("parseAddress", () => {
  it.each([
    ["0.0.0.0", "00000000"],
    ["10.0.0.255", "0a0000ff"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["fd00::", "fd000000000000000000000000000000"],
    ["2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["FF01::101", "ff010000000000000000000000000101"],
    ["0:0:0:0:0:0:13.1.68.3", "0000000000000000000000000d014403"],
    ["::FFFF:129.144.52.38", "00000000000000000000ffff81903426"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::2:3:4:5:6:7:8", "00000002000300040005000600070008"],
  ])("reads %s", (text, hex) => {
    expect(toHex(parseAddress(text) ?? new Uint8Array())).toBe(hex);
  });

  it.each([
    "",
    "10.0.0",
    "10.0.0.0.0",
    "10.0.0.256",
    "10.0.0.01",
    "10.0.0.-1",
    "10.0.0.1 ",
    "10..0.1",
    "0x0a.0.0.1",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    "1:",
    ":1",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "fe80::1%eth0",
  ])("refuses %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("parseAddress, for any text", () => {
  it("takes what node:net takes, and nothing else", () => {
    const pieces = fc.constantFrom(
      "::",
      ":",
      ".",
      "0",
      "1",
      "ff",
      "abcd",
      "10",
      "255",
      "256",
      "1.2.3.4",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 18 }), (list) => {
        const text = list.join("");
        expect(parseAddress(text) !== undefined, text).toBe(isIP(text) !== 0);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("formatAddress", () => {
  it.each([
    // RFC 5952 section 4.
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["010a::", "10a::"],
  ])("writes %s as %s", (from, to) => {
    expect(formatAddress(parseAddress(from) ?? new Uint8Array(16), 0, 6)).toBe(to);
  });

  it("reads at an offset", () => {
    expect(formatAddress(Uint8Array.of(9, 9, 192, 0, 2, 1), 2, 4)).toBe("192.0.2.1");
  });

  it("is read back as the same bytes", () => {
    const addresses = families.chain((family) =>
      fc.tuple(fc.constant(family), bytesOfLength(family === 4 ? 4 : 16)),
    );
    fc.assert(
      fc.property(addresses, ([family, bytes]) => {
        expect(parseAddress(formatAddress(bytes, 0, family))).toEqual(bytes);
      }),
    );
  });

  it("writes IPv6 as the URL standard does, but for embedded IPv4", () => {
    fc.assert(
      fc.property(bytesOfLength(16), (bytes) => {
        const text = formatAddress(bytes, 0, 6);
        fc.pre(!text.includes("."));
        expect(isIPv6(text)).toBe(true);
        expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`);
      }),
    );
  });
});
