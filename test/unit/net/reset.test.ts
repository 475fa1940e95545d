import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../../src/net/packet.ts";
import { refusalBytesMax, writeReset } from "../../../src/net/refusal.ts";
import { partialSynV4, partialSynV6, resetV4, resetV6, udpV4 } from "./known-packets.ts";
import {
  build,
  naiveIpv4Checksum,
  naiveTcpChecksum,
  setWord,
  tcpPackets,
  toHex,
  word,
} from "./naive.ts";

function resetFor(segment: Uint8Array): Uint8Array {
  const out = new Uint8Array(refusalBytesMax).fill(0xee);
  return out.slice(0, writeReset(out, 0, segment, 0));
}

/** The fields of a packet's TCP header that a reset answers with. */
function fields(bytes: Uint8Array, at: number): Record<string, number> {
  const view = new DataView(bytes.buffer, at);
  return { seq: view.getUint32(4), ack: view.getUint32(8), flags: view.getUint8(13) };
}

function withFlags(bytes: Uint8Array, flags: number): Uint8Array {
  const changed = bytes.slice();
  changed[33] = flags;
  return changed;
}

describe("writeReset", () => {
  it("answers a SYN as Linux does on IPv4, byte for byte", () => {
    expect(toHex(resetFor(partialSynV4))).toBe(toHex(resetV4));
  });

  it("answers a SYN as Linux does on IPv6, but for the flow label and with a full checksum", () => {
    const expected = resetV6.slice();
    expected.set([0x60, 0, 0, 0]);
    setWord(expected, 56, naiveTcpChecksum(expected, 40));
    expect(toHex(resetFor(partialSynV6))).toBe(toHex(expected));
  });

  it("has swapped ends and right checksums, whatever it answers", () => {
    fc.assert(
      fc.property(tcpPackets, (packet) => {
        packet.segment[13] = TCP_SYN;
        const { bytes, tcpAt } = build(packet);
        const reset = resetFor(bytes);
        const [sourceAt, ipBytes] = packet.family === 4 ? [12, 20] : [8, 40];
        const addressBytes = packet.source.length;
        expect(reset).toHaveLength(ipBytes + 20);
        expect(reset.slice(sourceAt, sourceAt + addressBytes)).toEqual(packet.destination);
        expect(reset.slice(sourceAt + addressBytes, ipBytes)).toEqual(packet.source);
        expect(word(reset, ipBytes)).toBe(word(bytes, tcpAt + 2));
        expect(word(reset, ipBytes + 2)).toBe(word(bytes, tcpAt));
        expect(word(reset, ipBytes + 16)).toBe(naiveTcpChecksum(reset, ipBytes));
        if (packet.family === 4) expect(word(reset, 10)).toBe(naiveIpv4Checksum(reset));
      }),
    );
  });
});

describe("the numbers of writeReset", () => {
  it("acknowledges the SYN, and the data of a Fast Open", () => {
    const payload = [1, 2, 3];
    const open = Uint8Array.from([...partialSynV4, ...payload]);
    setWord(open, 2, open.length);
    const answer = { seq: 0, ack: 0x05224635 + 1 + 3, flags: TCP_RST | TCP_ACK };
    expect(fields(resetFor(open), 20)).toEqual(answer);
  });

  it("does not count padding behind the packet", () => {
    const padded = Uint8Array.from([...partialSynV4, 0, 0, 0, 0, 0, 0]);
    expect(resetFor(padded)).toEqual(resetFor(partialSynV4));
  });

  it("ignores the acknowledgment field of a SYN without ACK", () => {
    const syn = partialSynV4.slice();
    syn.set([1, 2, 3, 4], 28);
    expect(fields(resetFor(syn), 20)).toMatchObject({ seq: 0, ack: 0x05224636 });
  });

  it("wraps around the sequence space", () => {
    const syn = partialSynV4.slice();
    syn.set([0xff, 0xff, 0xff, 0xff], 24);
    expect(fields(resetFor(syn), 20)).toMatchObject({ ack: 0 });
  });

  it("counts a FIN too", () => {
    const fin = withFlags(partialSynV4, TCP_FIN);
    expect(fields(resetFor(fin), 20)).toMatchObject({ ack: 0x05224636 });
  });

  it("takes the place the peer acknowledged, where there is an ACK", () => {
    const segment = withFlags(partialSynV4, TCP_ACK);
    segment.set([0x89, 0xab, 0xcd, 0xef], 28);
    expect(fields(resetFor(segment), 20)).toEqual({ seq: 0x89abcdef, ack: 0, flags: TCP_RST });
  });
});

describe("the limits of writeReset", () => {
  it("does not answer a reset, a later fragment, another protocol, or a torn packet", () => {
    const fragment = partialSynV4.slice();
    setWord(fragment, 6, 0x0010);
    const silent = [
      withFlags(partialSynV4, TCP_RST),
      withFlags(partialSynV4, TCP_RST | TCP_ACK),
      fragment,
      udpV4,
      partialSynV4.slice(0, 59),
    ];
    expect(silent.map((segment) => resetFor(segment).length)).toEqual([0, 0, 0, 0, 0]);
  });

  it("writes where it is told, in the segment's own buffer if need be, and not a byte beyond", () => {
    const buffer = new Uint8Array(200).fill(0xee);
    buffer.set(partialSynV4, 7);
    expect(writeReset(buffer, 100, buffer, 7)).toBe(40);
    expect(buffer.slice(100, 140)).toEqual(resetV4);
    expect(buffer.slice(7, 67)).toEqual(partialSynV4);
    expect([buffer[99], buffer[140]]).toEqual([0xee, 0xee]);
  });
});
