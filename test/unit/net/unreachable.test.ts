import { describe, expect, it } from "vitest";
import { refusalBytesMax, writeHostUnreachable } from "../../../src/net/refusal.ts";
import {
  portUnreachableV4,
  portUnreachableV6,
  synV4,
  synV6,
  udpV4,
  udpV6,
} from "./known-packets.ts";
import { naiveIpv4Checksum, naiveSum, pseudoHeader, setWord, toHex, word } from "./naive.ts";

function unreachableFor(original: Uint8Array): Uint8Array {
  const router = (original[0] ?? 0) >> 4 === 4 ? original.slice(16, 20) : original.slice(24, 40);
  const out = new Uint8Array(refusalBytesMax).fill(0xee);
  return out.slice(0, writeHostUnreachable(out, 0, original, 0, original.length, router));
}

function longer(original: Uint8Array, lengthBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: lengthBytes }, (_, i) => original[i] ?? i & 0xff);
  if (original[0] === 0x45) setWord(bytes, 2, lengthBytes);
  else setWord(bytes, 4, lengthBytes - 40);
  return bytes;
}

function changed(original: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const bytes = original.slice();
  bytes.set(values, at);
  return bytes;
}

describe("writeHostUnreachable", () => {
  it("is what Linux sends on IPv4, but for the code and the identification", () => {
    const expected = changed(portUnreachableV4, 4, 0, 0, 0x40, 0);
    setWord(expected, 10, naiveIpv4Checksum(expected));
    setWord(expected, 20, 0x0301);
    setWord(expected, 22, word(portUnreachableV4, 22) + 2);
    expect(toHex(unreachableFor(udpV4))).toBe(toHex(expected));
  });

  it("is what Linux sends on IPv6, but for the code and the flow label", () => {
    const expected = changed(portUnreachableV6, 0, 0x60, 0, 0, 0);
    setWord(expected, 40, 0x0103);
    setWord(expected, 42, word(portUnreachableV6, 42) + 1);
    expect(toHex(unreachableFor(udpV6))).toBe(toHex(expected));
  });

  it.each([
    [60, 88],
    [547, 575],
    [548, 576],
    [549, 576],
    [65_535, 576],
  ])("quotes as much as fits 576 bytes on IPv4: %i in %i", (originalBytes, errorBytes) => {
    const original = longer(synV4, originalBytes);
    const error = unreachableFor(original);
    expect(error).toHaveLength(errorBytes);
    expect(word(error, 2)).toBe(errorBytes);
    expect(error.slice(28)).toEqual(original.slice(0, errorBytes - 28));
    expect(word(error, 10)).toBe(naiveIpv4Checksum(error));
    expect(naiveSum(error.slice(20))).toBe(0xffff);
  });

  it.each([
    [80, 128],
    [1231, 1279],
    [1232, 1280],
    [1233, 1280],
    [65_575, 1280],
  ])("quotes as much as fits 1280 bytes on IPv6: %i in %i", (originalBytes, errorBytes) => {
    const original = longer(synV6, originalBytes);
    const error = unreachableFor(original);
    expect(error).toHaveLength(errorBytes);
    expect(word(error, 4)).toBe(errorBytes - 40);
    expect(error.slice(48)).toEqual(original.slice(0, errorBytes - 48));
    const sum = naiveSum(pseudoHeader(error, 58, errorBytes - 40), error.slice(40));
    expect(sum).toBe(0xffff);
  });

  it("comes from the router and goes to the sender", () => {
    const out = new Uint8Array(100).fill(0xee);
    const router = Uint8Array.of(10, 0, 0, 254);
    expect(writeHostUnreachable(out, 3, synV4, 0, 60, router)).toBe(88);
    expect(Array.from(out.slice(15, 23))).toEqual([10, 0, 0, 254, 10, 0, 0, 2]);
    expect([out[2], out[91]]).toEqual([0xee, 0xee]);
  });
});

describe("what writeHostUnreachable answers", () => {
  const icmp = (type: number): Uint8Array => changed(changed(udpV4, 9, 1), 20, type);
  const icmpv6 = (type: number): Uint8Array => changed(changed(udpV6, 6, 58), 40, type);

  it.each([
    ["an ICMP error", icmp(3)],
    ["an ICMP redirect", icmp(5)],
    ["an ICMPv6 error", icmpv6(1)],
    ["an ICMPv6 error yet unknown", icmpv6(127)],
    ["a later fragment", changed(udpV4, 6, 0, 1)],
    ["a multicast", changed(udpV4, 16, 224, 0, 0, 251)],
    ["a broadcast", changed(udpV4, 16, 255, 255, 255, 255)],
    ["a packet from no one", changed(udpV4, 12, 0, 0, 0, 0)],
    ["an IPv6 multicast", changed(udpV6, 24, 0xff, 2)],
    ["an IPv6 packet from no one", changed(udpV6, 8, ...Array<number>(16).fill(0))],
    ["a torn packet", udpV4.slice(0, 32)],
  ])("does not answer %s", (_, original) => {
    expect(unreachableFor(original)).toHaveLength(0);
  });

  it.each([
    ["an echo request", icmp(8)],
    ["an ICMPv6 echo request", icmpv6(128)],
    ["a packet to 240.0.0.0/4", changed(udpV4, 16, 240, 0, 0, 1)],
    ["a first fragment", changed(udpV4, 6, 0x20, 0)],
  ])("does answer %s", (_, original) => {
    expect(unreachableFor(original).length).toBeGreaterThan(0);
  });
});
