import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Family } from "../../../src/base/units.ts";
import { DatagramTrain } from "../../../src/net/datagram-train.ts";
import { PacketView } from "../../../src/net/packet.ts";
import {
  bytesOfLength,
  families,
  naiveIpv4Checksum,
  naiveSum,
  paddingHeader,
  pseudoHeader,
  setWord,
  toHex,
} from "./naive.ts";

const udp = 17;
const headerBytes = 8;

interface Datagram {
  readonly family: Family;
  readonly addresses: Uint8Array;
  readonly identification: number;
  /** IPv4 options, or one IPv6 extension header. */
  readonly extra: Uint8Array;
  readonly ports: Uint8Array;
  readonly payload: Uint8Array;
}

/**
 * A whole packet, summed from scratch. A train is one, too, but for its UDP checksum, which is only
 * begun.
 */
function build({ family, addresses, identification, extra, ports, payload }: Datagram): Uint8Array {
  const udpAt = (family === 4 ? 20 : 40) + extra.length;
  const bytes = new Uint8Array(udpAt + headerBytes + payload.length);
  if (family === 4) bytes.set([0x40 | (udpAt / 4), 0, 0, 0, 0, 0, 0x40, 0, 64, udp]);
  else bytes.set([0x60, 0, 0, 0, 0, 0, extra.length > 0 ? 60 : udp, 64]);
  setWord(bytes, family === 4 ? 2 : 4, family === 4 ? bytes.length : bytes.length - 40);
  if (family === 4) setWord(bytes, 4, identification);
  bytes.set(addresses, family === 4 ? 12 : 8);
  bytes.set(extra, family === 4 ? 20 : 40);
  bytes.set(ports, udpAt);
  setWord(bytes, udpAt + 4, headerBytes + payload.length);
  bytes.set(payload, udpAt + headerBytes);
  if (family === 4) setWord(bytes, 10, naiveIpv4Checksum(bytes));
  const segment = bytes.slice(udpAt);
  const checksum = 0xffff - naiveSum(pseudoHeader(bytes, udp, segment.length), segment);
  setWord(bytes, udpAt + 6, checksum || 0xffff);
  return bytes;
}

const trains: fc.Arbitrary<{ train: Datagram; datagramBytes: number }> = families.chain((family) =>
  fc.record({
    train: fc.record({
      family: fc.constant(family),
      addresses: bytesOfLength(family === 4 ? 8 : 32),
      identification: fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xfffe, 0xffff)),
      extra: fc.nat(2).map((words) => {
        if (family === 4) return new Uint8Array(4 * words).fill(1);
        return words === 0 ? new Uint8Array() : paddingHeader(udp, words);
      }),
      ports: bytesOfLength(4),
      payload: fc.integer({ min: 1, max: 80 }).chain(bytesOfLength),
    }),
    datagramBytes: fc.integer({ min: 1, max: 100 }),
  }),
);

/** The packet at an odd place in a larger buffer, with another checksum than it should have. */
function placed(packet: Uint8Array): { bytes: Uint8Array; view: PacketView } {
  const bytes = new Uint8Array(packet.length + 20).fill(0xa5);
  bytes.set(packet, 11);
  const view = new PacketView();
  expect(view.parse(bytes, 11, packet.length)).toBe(true);
  setWord(bytes, view.transportAt + 6, 0x1234);
  return { bytes, view };
}

/** The same object reads all. */
const reader = new DatagramTrain();

function parses(packet: Uint8Array, datagramBytes: number): boolean {
  const { bytes, view } = placed(packet);
  return reader.parse(bytes, view, datagramBytes);
}

/** The datagrams of a train. */
function datagramsOf(train: Datagram, datagramBytes: number): string[] {
  const { bytes, view } = placed(build(train));
  const before = toHex(bytes);
  expect(reader.parse(bytes, view, datagramBytes)).toBe(true);
  const out = new Uint8Array(300).fill(0x5a);
  const datagrams = Array.from({ length: reader.count }, (_, index) => {
    const lengthBytes = reader.write(out, 7, index);
    return toHex(out.slice(7, 7 + lengthBytes));
  });
  expect(toHex(bytes), "the train is as it was").toBe(before);
  return datagrams;
}

describe("a train's datagrams", () => {
  it("are those that would have been sent one by one", () => {
    fc.assert(
      fc.property(trains, ({ train, datagramBytes }) => {
        const expected: string[] = [];
        for (let from = 0; from < train.payload.length; from += datagramBytes) {
          const payload = train.payload.slice(from, from + datagramBytes);
          const identification = (train.identification + expected.length) & 0xffff;
          expected.push(toHex(build({ ...train, payload, identification })));
        }
        expect(datagramsOf(train, datagramBytes)).toEqual(expected);
      }),
    );
  });

  it("may be as long as a packet can be", () => {
    const train: Datagram = {
      family: 4,
      addresses: Uint8Array.from([10, 0, 0, 1, 10, 0, 0, 2]),
      identification: 0,
      extra: new Uint8Array(),
      ports: Uint8Array.from([1, 2, 3, 4]),
      payload: new Uint8Array(65_507).fill(1),
    };
    const { bytes, view } = placed(build(train));
    expect(reader.parse(bytes, view, 65_507)).toBe(true);
    const out = new Uint8Array(65_535);
    expect([reader.count, reader.write(out, 0, 0)]).toEqual([1, 65_535]);
    expect(toHex(out)).toBe(toHex(build(train)));
    expect(reader.parse(bytes, view, 1) && reader.count).toBe(65_507);
  });
});

describe("what is no train", () => {
  const train: Datagram = {
    family: 4,
    addresses: new Uint8Array(8),
    identification: 1,
    extra: new Uint8Array(),
    ports: new Uint8Array(4),
    payload: new Uint8Array(10),
  };
  it("of datagrams without a size, or without a payload", () => {
    expect(parses(build(train), 4)).toBe(true);
    expect(parses(build(train), 0)).toBe(false);
    expect(parses(build({ ...train, payload: new Uint8Array() }), 4)).toBe(false);
    expect(reader.count).toBe(0);
  });

  it("of another protocol, or a fragment", () => {
    const icmp = build(train);
    icmp[9] = 1;
    expect(parses(icmp, 4)).toBe(false);
    const first = build(train);
    first[6] = 0x20;
    expect(parses(first, 4)).toBe(false);
    const later = build(train);
    later[7] = 1;
    expect(parses(later, 4)).toBe(false);
  });
});
