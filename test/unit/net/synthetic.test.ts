import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostNumber, Port } from "../../../src/base/units.ts";
import { PacketView, TCP_ACK, TCP_PSH } from "../../../src/net/packet.ts";
import { Subnet } from "../../../src/net/subnet.ts";
import {
  maxChunkBytes,
  type SyntheticHeader,
  syntheticHeaderBytes,
  writeMac,
  writeSynthetic,
} from "../../../src/net/synthetic.ts";
import { families, fromHex, naiveIpv4Checksum, toHex, word } from "./naive.ts";

const host = (number: number): HostNumber => number as HostNumber;

function header(subnetText: string, payloadBytes: number): SyntheticHeader {
  const subnet = Subnet.parse(subnetText);
  return {
    family: subnet.family,
    sourceAddress: subnet.addressBytes(host(2)),
    destinationAddress: subnet.addressBytes(host(0x31)),
    sourceHost: host(2),
    destinationHost: host(0x31),
    sourcePort: 4711 as Port,
    destinationPort: 80 as Port,
    sequence: 0x01020304,
    acknowledgment: 0xf1f2f3f4,
    flags: TCP_PSH | TCP_ACK,
    payloadBytes,
  };
}

describe("writeSynthetic", () => {
  it("writes Ethernet, IPv4 and TCP", () => {
    const out = new Uint8Array(54).fill(0xee);
    writeSynthetic(out, 0, header("10.0.0.0/24", 5));
    const expected = fromHex(
      `02706c000031 02706c000002 0800
       4500 002d 0000 4000 4006 0000 0a000002 0a000031
       1267 0050 01020304 f1f2f3f4 5018 ffff 0000 0000`,
    );
    const checksum = naiveIpv4Checksum(expected.slice(14));
    expected.set([checksum >> 8, checksum & 0xff], 24);
    expect(toHex(out)).toBe(toHex(expected));
  });

  it("writes Ethernet, IPv6 and TCP", () => {
    const out = new Uint8Array(74).fill(0xee);
    writeSynthetic(out, 0, header("fd00::/64", 5));
    const expected = fromHex(
      `02706c000031 02706c000002 86dd
       60000000 0019 06 40 fd000000000000000000000000000002 fd000000000000000000000000000031
       1267 0050 01020304 f1f2f3f4 5018 ffff 0000 0000`,
    );
    expect(toHex(out)).toBe(toHex(expected));
  });

  it.each(["10.0.0.0/24", "fd00::/64"])("carries the largest chunk, on %s", (subnet) => {
    const filled = header(subnet, maxChunkBytes);
    const out = new Uint8Array(syntheticHeaderBytes(filled.family) + maxChunkBytes);
    writeSynthetic(out, 0, filled);
    const view = new PacketView();
    expect(view.parse(out, 14, out.length - 14)).toBe(true);
    expect(view.totalBytes).toBe(out.length - 14);
  });

  it("fills the 16-bit length of IPv4 to the last byte with the largest chunk", () => {
    const out = new Uint8Array(54);
    writeSynthetic(out, 0, header("10.0.0.0/24", maxChunkBytes));
    expect(word(out, 16)).toBe(0xffff);
  });

  it("writes just its length, at any place, with right header checksums", () => {
    const places = fc.tuple(families, fc.nat(9), fc.nat(maxChunkBytes), fc.maxSafeNat());
    fc.assert(
      fc.property(places, ([family, at, payloadBytes, sequence]) => {
        const filled = header(family === 4 ? "10.0.0.0/24" : "fd00::/64", payloadBytes);
        filled.sequence = sequence;
        const end = at + syntheticHeaderBytes(family);
        const out = new Uint8Array(100).fill(0xee);
        writeSynthetic(out, at, filled);
        expect([...out.slice(0, at), ...out.slice(end)].every((byte) => byte === 0xee)).toBe(true);
        expect(new DataView(out.buffer).getUint32(end - 16)).toBe(sequence % 2 ** 32);
        const ip = out.slice(at + 14);
        if (family === 4) expect(word(ip, 10)).toBe(naiveIpv4Checksum(ip));
      }),
    );
  });
});

describe("writeMac", () => {
  it("is locally administered, unicast, and has the whole host number", () => {
    const out = new Uint8Array(8).fill(0xee);
    writeMac(out, 1, host(0xabcdef));
    expect(toHex(out)).toBe("ee02706cabcdefee");
    expect((out[1] ?? 0) & 3).toBe(2);
  });
});
