import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  destinationPortAt,
  IPPROTO_TCP,
  IPPROTO_UDP,
  PacketView,
  sourcePortAt,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  tcpAcknowledgmentAt,
  tcpFlagsAt,
  tcpHeaderBytesAt,
  tcpSequenceAt,
  versionAt,
} from "../../../src/net/packet.ts";
import {
  partialSynV4,
  partialSynV6,
  resetV4,
  synV4,
  synV6,
  udpV4,
  udpV6,
} from "./known-packets.ts";
import { build, bytesOfLength, fromHex, paddingHeader, setWord, tcpPackets } from "./naive.ts";

function parsed(bytes: Uint8Array): PacketView | undefined {
  const view = new PacketView();
  return view.parse(bytes, 0, bytes.length) ? view : undefined;
}

/** An IPv6 packet from extension headers and a payload. */
function ipv6(next: number, ...parts: Uint8Array[]): Uint8Array {
  const rest = parts.flatMap((part) => [...part]);
  const bytes = Uint8Array.from([...synV6.slice(0, 40), ...rest]);
  bytes[6] = next;
  setWord(bytes, 4, rest.length);
  return bytes;
}

function broken(whole: Uint8Array, at: number, value: number): Uint8Array {
  const bytes = whole.slice();
  bytes[at] = value;
  return bytes;
}

const segment = synV6.slice(40);
const fragmentHeader = (next: number, field: number): Uint8Array =>
  Uint8Array.of(next, 0, field >> 8, field & 255, 0, 0, 0, 1);

describe("versionAt", () => {
  it("reads the first four bits", () => {
    expect(versionAt(synV4, 0)).toBe(4);
    expect(versionAt(synV6, 0)).toBe(6);
    expect(versionAt(Uint8Array.of(0x40, 0x65, 0x54), 1)).toBe(6);
    expect(versionAt(Uint8Array.of(0x40, 0x65, 0x54), 2)).toBe(0);
    expect(versionAt(new Uint8Array(), 0)).toBe(0);
  });
});

describe("PacketView", () => {
  it("lays out the packets of a kernel", () => {
    expect(parsed(synV4)).toMatchObject({
      family: 4,
      protocol: IPPROTO_TCP,
      headerAt: 0,
      sourceAt: 12,
      destinationAt: 16,
      transportAt: 20,
      totalBytes: 60,
      fragmentOffset: 0,
      moreFragments: false,
    });
    expect(parsed(synV6)).toMatchObject({
      family: 6,
      protocol: IPPROTO_TCP,
      sourceAt: 8,
      destinationAt: 24,
      transportAt: 40,
      totalBytes: 80,
    });
    expect(parsed(udpV4)).toMatchObject({ protocol: IPPROTO_UDP, totalBytes: 33 });
    expect(parsed(udpV6)).toMatchObject({ protocol: IPPROTO_UDP, totalBytes: 53 });
  });

  it("gives absolute offsets, and takes the length from the header where the buffer is longer", () => {
    const bytes = Uint8Array.from([...Array<number>(10).fill(0xee), ...synV4, 1, 2, 3]);
    const view = new PacketView();
    expect(view.parse(bytes, 10, bytes.length - 10)).toBe(true);
    expect(view).toMatchObject({ headerAt: 10, sourceAt: 22, transportAt: 30, totalBytes: 60 });
  });

  it("finds TCP behind IPv4 options and IPv6 extension headers", () => {
    fc.assert(
      fc.property(tcpPackets, (packet) => {
        const { bytes, tcpAt } = build(packet);
        expect(parsed(bytes)).toMatchObject({
          family: packet.family,
          protocol: IPPROTO_TCP,
          transportAt: tcpAt,
          totalBytes: bytes.length,
        });
      }),
    );
  });
});

describe("PacketView, with extension headers", () => {
  it("walks a chain of every extension header", () => {
    const chain = [
      paddingHeader(60, 1),
      paddingHeader(43, 2),
      paddingHeader(44, 3),
      fragmentHeader(60, 0),
      paddingHeader(6, 1),
    ];
    expect(parsed(ipv6(0, ...chain, segment))).toMatchObject({
      protocol: IPPROTO_TCP,
      transportAt: 40 + 8 + 16 + 24 + 8 + 8,
      fragmentOffset: 0,
      moreFragments: false,
    });
  });

  it("takes anything else for the transport, at once", () => {
    expect(parsed(ipv6(51, segment))).toMatchObject({ protocol: 51, transportAt: 40 });
    expect(parsed(ipv6(59))).toMatchObject({ protocol: 59, transportAt: 40, totalBytes: 40 });
  });
});

describe("PacketView, with fragments", () => {
  it.each([
    [0x0001, 0, true],
    [0x05a9, 1448, true],
    [0xfff8, 65_528, false],
  ])("reads the IPv6 fragment field %i", (field, fragmentOffset, moreFragments) => {
    expect(parsed(ipv6(44, fragmentHeader(6, field), segment))).toMatchObject({
      fragmentOffset,
      moreFragments,
      transportAt: 48,
      protocol: IPPROTO_TCP,
    });
  });

  it("does not take a later fragment's payload for headers", () => {
    const view = parsed(ipv6(44, fragmentHeader(60, 8), Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0)));
    expect(view).toMatchObject({ fragmentOffset: 8, protocol: 60, transportAt: 48 });
  });

  it.each([
    [0x4000, 0, false],
    [0x2000, 0, true],
    [0x20b9, 1480, true],
    [0x1fff, 65_528, false],
  ])("reads the IPv4 fragment field %i", (field, fragmentOffset, moreFragments) => {
    const bytes = synV4.slice();
    setWord(bytes, 6, field);
    expect(parsed(bytes)).toMatchObject({ fragmentOffset, moreFragments, transportAt: 20 });
  });

  it("accepts a later fragment that is shorter than a TCP header, but not such a first one", () => {
    const short = synV4.slice(0, 28);
    setWord(short, 2, 28);
    setWord(short, 6, 0x00b9);
    expect(parsed(short)).toBeDefined();
    setWord(short, 6, 0x2000);
    expect(parsed(short)).toBeUndefined();
  });
});

describe("PacketView, with what is broken", () => {
  it("refuses every truncation, whether the length or the buffer is short", () => {
    const deep = ipv6(0, paddingHeader(44, 2), fragmentHeader(6, 1), segment);
    for (const whole of [synV4, synV6, udpV4, udpV6, deep]) {
      const view = new PacketView();
      for (let length = 0; length < whole.length; length++) {
        expect(view.parse(whole, 0, length), `${length}`).toBe(false);
        expect(view.parse(whole.slice(0, length), 0, whole.length), `${length}`).toBe(false);
      }
      expect(view.parse(whole, 0, whole.length)).toBe(true);
      expect(view.parse(whole, whole.length + 1, whole.length)).toBe(false);
    }
  });

  it.each([
    ["neither version", broken(synV4, 0, 0x55)],
    ["an IPv4 header of 16 bytes", broken(udpV4, 0, 0x44)],
    ["an IPv4 length below the header's", broken(synV4, 3, 19)],
    ["an IPv4 header longer than the packet", broken(resetV4, 0, 0x4f)],
    ["an IPv6 length beyond the buffer", broken(synV6, 5, 41)],
    ["a TCP header of 16 bytes", broken(synV4, 32, 0x40)],
    ["a TCP header longer than the packet", broken(synV4, 32, 0xb0)],
    ["an extension header longer than the packet", ipv6(0, Uint8Array.of(6, 9, 0, 0, 0, 0, 0, 0))],
    ["an extension header that is not there", ipv6(60)],
    ["a torn fragment header", ipv6(44, Uint8Array.of(6, 0, 0, 1))],
    ["TCP that is not there", ipv6(0, paddingHeader(6, 1))],
  ])("refuses %s", (_, bytes) => {
    expect(parsed(bytes)).toBeUndefined();
  });

  it("survives any bytes, and what it accepts lies within the packet", () => {
    const start = fc.constantFrom(
      fromHex(""),
      synV4,
      synV6.slice(0, 40),
      fromHex("60"),
      fromHex("45"),
    );
    const noise = fc.integer({ min: 0, max: 90 }).chain(bytesOfLength);
    const protocols = fc.constantFrom(0, 6, 43, 44, 60, 17);
    fc.assert(
      fc.property(start, noise, protocols, (head, tail, protocol) => {
        const bytes = Uint8Array.from([...head, ...tail]);
        if (bytes.length > 40 && head.length === 40) {
          bytes[6] = protocol;
          setWord(bytes, 4, tail.length);
        }
        const view = parsed(bytes);
        if (view === undefined) return;
        expect(view.totalBytes).toBeLessThanOrEqual(bytes.length);
        expect(view.transportAt).toBeLessThanOrEqual(view.totalBytes);
        if (view.protocol === IPPROTO_TCP && view.fragmentOffset === 0) {
          expect(view.transportAt + 20).toBeLessThanOrEqual(view.totalBytes);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("TCP fields", () => {
  it("of a kernel's SYN and its reset", () => {
    expect(sourcePortAt(partialSynV4, 20)).toBe(59_733);
    expect(destinationPortAt(partialSynV4, 20)).toBe(81);
    expect(tcpSequenceAt(partialSynV4, 20)).toBe(0x05224635);
    expect(tcpHeaderBytesAt(partialSynV4, 20)).toBe(40);
    expect(tcpFlagsAt(partialSynV4, 20)).toBe(TCP_SYN);
    expect(tcpAcknowledgmentAt(resetV4, 20)).toBe(0x05224636);
    expect(tcpFlagsAt(resetV4, 20)).toBe(TCP_RST | TCP_ACK);
    expect(tcpFlagsAt(partialSynV6, 40)).toBe(TCP_SYN);
  });

  it("are unsigned, and the flags have the bits of RFC 9293", () => {
    const header = fromHex("ffff fffe fffffffd fffffffc 501f ffff 0000 0000");
    expect(sourcePortAt(header, 0)).toBe(0xffff);
    expect(destinationPortAt(header, 0)).toBe(0xfffe);
    expect(tcpSequenceAt(header, 0)).toBe(0xffff_fffd);
    expect(tcpAcknowledgmentAt(header, 0)).toBe(0xffff_fffc);
    expect(tcpFlagsAt(header, 0)).toBe(TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK);
  });
});
