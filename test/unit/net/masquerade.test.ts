import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostNumber } from "../../../src/base/units.ts";
import { Masquerade } from "../../../src/net/masquerade.ts";
import { PacketView } from "../../../src/net/packet.ts";
import { pipeNetworkOf, Subnet } from "../../../src/net/subnet.ts";
import { partialSynV4, partialSynV6, synV4, synV6, udpV4 } from "./known-packets.ts";
import {
  build,
  bytesOfLength,
  naiveIpv4Checksum,
  naiveSum,
  naiveTcpChecksum,
  pseudoHeader,
  setWord,
  type TcpPacket,
  tcpPackets,
  toHex,
  word,
} from "./naive.ts";

function viewOf(bytes: Uint8Array, at = 0): PacketView {
  const view = new PacketView();
  expect(view.parse(bytes, at, bytes.length - at)).toBe(true);
  return view;
}

function between(subnet: Subnet): Masquerade {
  return new Masquerade(subnet, pipeNetworkOf(subnet));
}

const v4 = Subnet.parse("10.0.0.0/24");
const v6 = Subnet.parse("fd00::/64");

/** A packet between two hosts of some subnet, with any prefix length there is. */
const cases = tcpPackets.chain((packet) =>
  fc
    .tuple(
      fc.integer(packet.family === 4 ? { min: 4, max: 30 } : { min: 8, max: 120 }),
      bytesOfLength(packet.family === 4 ? 4 : 16),
      fc.nat(0xffff_fffe),
      fc.nat(0xffff_fffe),
    )
    .map(([prefixBits, address, from, to]) => {
      const subnet = new Subnet(address, prefixBits);
      const hostOf = (n: number): HostNumber => (1 + (n % subnet.capacity)) as HostNumber;
      const source = subnet.addressBytes(hostOf(from));
      const destination = subnet.addressBytes(hostOf(to));
      return { subnet, packet: { ...packet, source, destination } satisfies TcpPacket };
    }),
);

describe("Masquerade", () => {
  it("exchanges the destination's network towards the pipe, the source's from it", () => {
    const bytes = synV4.slice();
    between(v4).towardsPipe(viewOf(bytes), bytes, false);
    expect(Array.from(bytes.slice(12, 20))).toEqual([10, 0, 0, 2, 240, 0, 0, 1]);
    const back = synV6.slice();
    between(v6).fromPipe(viewOf(back), back, false);
    expect(toHex(back.slice(8, 24))).toBe("fd706c67706900000000000000000002");
    expect(back.slice(24, 40)).toEqual(synV6.slice(24, 40));
  });

  it("leaves a kernel's packets with right checksums", () => {
    const [a, b] = [synV4.slice(), synV6.slice()];
    between(v4).towardsPipe(viewOf(a), a, false);
    between(v6).towardsPipe(viewOf(b), b, false);
    expect(word(a, 10)).toBe(naiveIpv4Checksum(a));
    expect(word(a, 36)).toBe(naiveTcpChecksum(a, 20));
    expect(word(b, 56)).toBe(naiveTcpChecksum(b, 40));
  });

  it("leaves a kernel's partial checksums being the pseudo-header's sum", () => {
    const [a, b] = [partialSynV4.slice(), partialSynV6.slice()];
    between(v4).towardsPipe(viewOf(a), a, true);
    between(v6).towardsPipe(viewOf(b), b, true);
    expect(word(a, 10)).toBe(naiveIpv4Checksum(a));
    expect(word(a, 36)).toBe(naiveSum(pseudoHeader(a, 6, 40)));
    expect(word(b, 56)).toBe(naiveSum(pseudoHeader(b, 6, 40)));
  });
});

describe("Masquerade, for any packet", () => {
  // The numbers are compared as they are, not modulo 0xffff: neither sum is ever zero (see checksum.ts).
  it("gives the checksums that a full computation gives, for any packet and prefix", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ subnet, packet }, inwards) => {
        const { bytes, tcpAt } = build(packet);
        const before = bytes.slice();
        const masquerade = between(subnet);
        const pipe = pipeNetworkOf(subnet);
        if (inwards) masquerade.towardsPipe(viewOf(bytes), bytes, false);
        else masquerade.fromPipe(viewOf(bytes), bytes, false);
        const { sourceAt, destinationAt } = viewOf(bytes);
        const [changedAt, keptAt] = inwards ? [destinationAt, sourceAt] : [sourceAt, destinationAt];
        expect(pipe.hostNumberAt(bytes, changedAt)).toBe(subnet.hostNumberAt(before, changedAt));
        expect(pipe.contains(bytes, changedAt)).toBe(true);
        expect(subnet.contains(bytes, keptAt)).toBe(true);
        expect(word(bytes, tcpAt + 16)).toBe(naiveTcpChecksum(bytes, tcpAt));
        if (packet.family === 4) expect(word(bytes, 10)).toBe(naiveIpv4Checksum(bytes));
        expect(bytes.slice(tcpAt + 18)).toEqual(before.slice(tcpAt + 18));
      }),
      { numRuns: 1000 },
    );
  });

  it("gives the partial checksum that a full computation gives", () => {
    fc.assert(
      fc.property(cases, ({ subnet, packet }) => {
        const { bytes, tcpAt } = build(packet);
        const lengthBytes = bytes.length - tcpAt;
        setWord(bytes, tcpAt + 16, naiveSum(pseudoHeader(bytes, 6, lengthBytes)));
        between(subnet).towardsPipe(viewOf(bytes), bytes, true);
        expect(word(bytes, tcpAt + 16)).toBe(naiveSum(pseudoHeader(bytes, 6, lengthBytes)));
      }),
      { numRuns: 1000 },
    );
  });

  it("is its own inverse, byte for byte", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ subnet, packet }, partial) => {
        const { bytes, tcpAt } = build(packet);
        if (partial) setWord(bytes, tcpAt + 16, naiveSum(pseudoHeader(bytes, 6, 20)));
        const before = bytes.slice();
        const masquerade = between(subnet);
        masquerade.towardsPipe(viewOf(bytes), bytes, partial);
        expect(bytes).not.toEqual(before);
        masquerade.towardsPipe(viewOf(bytes), bytes, partial);
        expect(bytes).toEqual(before);
        masquerade.fromPipe(viewOf(bytes), bytes, partial);
        masquerade.fromPipe(viewOf(bytes), bytes, partial);
        expect(bytes).toEqual(before);
      }),
    );
  });
});

describe("Masquerade, at the edges", () => {
  it("works in the middle of a buffer and touches nothing around the packet", () => {
    const bytes = Uint8Array.from([1, 2, 3, 4, 5, ...synV4, 6, 7]);
    between(v4).towardsPipe(viewOf(bytes, 5), bytes, false);
    const alone = synV4.slice();
    between(v4).towardsPipe(viewOf(alone), alone, false);
    expect(bytes).toEqual(Uint8Array.from([1, 2, 3, 4, 5, ...alone, 6, 7]));
  });

  it("patches only the IP header of a later fragment", () => {
    const bytes = synV4.slice();
    setWord(bytes, 6, 0x00b9);
    setWord(bytes, 10, naiveIpv4Checksum(bytes));
    const payload = bytes.slice(20);
    between(v4).towardsPipe(viewOf(bytes), bytes, false);
    expect(word(bytes, 10)).toBe(naiveIpv4Checksum(bytes));
    expect(bytes.slice(20)).toEqual(payload);
  });

  it("patches the TCP checksum of a first fragment, which covers all of them", () => {
    const [whole, first] = [synV4.slice(), synV4.slice()];
    setWord(first, 6, 0x2000);
    setWord(first, 10, naiveIpv4Checksum(first));
    for (const bytes of [whole, first]) between(v4).towardsPipe(viewOf(bytes), bytes, false);
    expect(word(first, 36)).toBe(word(whole, 36));
  });

  it("leaves the payload of other protocols alone", () => {
    const bytes = udpV4.slice();
    between(v4).towardsPipe(viewOf(bytes), bytes, false);
    expect(word(bytes, 10)).toBe(naiveIpv4Checksum(bytes));
    expect(bytes.slice(20)).toEqual(udpV4.slice(20));
  });

  it("refuses networks of different shapes", () => {
    expect(() => new Masquerade(v4, v6)).toThrow(/bug in plg/);
    expect(() => new Masquerade(v4, Subnet.parse("240.0.0.0/16"))).toThrow(/bug in plg/);
  });
});
