import { expect, test } from "vitest";
import { TCP_ACK, TCP_SYN } from "../../../src/net/packet.ts";
import { hear, textOf } from "./events.ts";
import { ethernet, ipv4, pcapFile, tcp, udp } from "./packets.ts";

/** A whole small connection, packet by packet. */
const packets = [
  tcp({ fromPort: 4711, toPort: 80, sequence: 10, flags: TCP_SYN }),
  tcp({
    from: "10.0.0.2",
    to: "10.0.0.1",
    fromPort: 80,
    toPort: 4711,
    sequence: 50,
    acknowledgment: 11,
    flags: TCP_SYN | TCP_ACK,
  }),
  tcp({
    fromPort: 4711,
    toPort: 80,
    sequence: 11,
    acknowledgment: 51,
    payload: Buffer.from("hello"),
  }),
];

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const prefix =
  (text: string) =>
  (packet: Buffer): Buffer =>
    Buffer.concat([hex(text), packet]);
const hexes = (text: string): readonly number[] => [...hex(text)];
const nothing = Buffer.alloc(0);

/** In a datagram to this port. */
function inUdp(port: number, ...parts: readonly Uint8Array[]): Buffer {
  return ethernet(ipv4("192.0.2.1", "192.0.2.2", 17, udp(5000, port, Buffer.concat(parts))));
}

/** By name: the link type, and how a packet is wrapped. */
const layers: Readonly<Record<string, readonly [number, (packet: Buffer) => Buffer]>> = {
  Ethernet: [1, (packet) => ethernet(packet)],
  VLAN: [1, (packet) => ethernet(packet, [0x81, 0, 0, 7])],
  QinQ: [1, (packet) => ethernet(packet, [0x88, 0xa8, 0, 7, 0x81, 0, 0, 8])],
  "old QinQ": [1, (packet) => ethernet(packet, [0x91, 0, 0, 7, 0x81, 0, 0, 8])],
  "port extender tag": [1, (packet) => ethernet(packet, hexes("893f 000000000000 8100 0007"))],
  "VN-tag": [1, (packet) => ethernet(packet, hexes("8926 00000000"))],
  "provider backbone": [
    1,
    (packet) => ethernet(Buffer.concat([hex("00000001"), ethernet(packet)]), [], 0x88e7),
  ],
  MPLS: [1, (packet) => ethernet(prefix("00010040 000201ff")(packet), [], 0x8847)],
  "MPLS with a pseudowire": [
    1,
    (packet) => ethernet(Buffer.concat([hex("000101ff 00000000"), ethernet(packet)]), [], 0x8847),
  ],
  PPPoE: [1, (packet) => ethernet(prefix("1100 0001 0030 0021")(packet), [], 0x8864)],
  SNAP: [1, (packet) => ethernet(prefix("aaaa03 000000 0800")(packet), [], 0x40)],
  "padded to a whole frame": [1, (packet) => Buffer.concat([ethernet(packet), Buffer.alloc(9)])],
  "Linux cooked": [113, prefix("0000 0001 0006 020000000001 0000 0800")],
  "Linux cooked with VLAN": [113, prefix("0004 0001 0006 020000000001 0000 8100 0007 0800")],
  "Linux cooked 2": [276, prefix("0800 0000 00000003 0001 00 06 0200000000010000")],
  NULL: [0, prefix("02000000")],
  LOOP: [108, prefix("00000002")],
  RAW: [101, (packet) => packet],
  "RAW of BSD": [12, (packet) => packet],
  IPV4: [228, (packet) => packet],
  PPP: [9, prefix("0021")],
  "PPP with address and control": [9, prefix("ff03 0021")],
  "PPP with a short protocol": [9, prefix("21")],
  "PPP in HDLC": [50, prefix("ff03 0021")],
  "Cisco HDLC": [104, prefix("0f00 0800")],
  NFLOG: [
    239,
    (packet) => {
      const length = Buffer.alloc(2);
      length.writeUInt16LE(packet.length + 4);
      return Buffer.concat([hex("02000000 0800 0100 00000000"), length, hex("0900"), packet]);
    },
  ],
  VXLAN: [1, (packet) => inUdp(4789, hex("08000000 00000700"), ethernet(packet))],
  "VXLAN with a group policy": [
    1,
    (packet) => inUdp(4789, hex("88000007 00000701"), ethernet(packet)),
  ],
  Geneve: [1, (packet) => inUdp(6081, hex("0100 6558 00000700 00000000"), ethernet(packet))],
  "Geneve with IP": [1, (packet) => inUdp(6081, hex("0000 0800 00000700"), packet)],
  "GTP-U": [1, (packet) => inUdp(2152, hex("30ff 0000 00000001"), packet)],
  "GTP-U with an extension": [
    1,
    (packet) => inUdp(2152, hex("34ff 0000 00000001 0000 00 85 01000900"), packet),
  ],
  GRE: [1, (packet) => ethernet(ipv4("192.0.2.1", "192.0.2.2", 47, prefix("0000 0800")(packet)))],
  ERSPAN: [
    1,
    (packet) => {
      const inner = Buffer.concat([hex("1000 88be 00000001 1001000000000000"), ethernet(packet)]);
      return ethernet(ipv4("192.0.2.1", "192.0.2.2", 47, inner));
    },
  ],
  "IP in IP": [1, (packet) => ethernet(ipv4("192.0.2.1", "192.0.2.2", 4, packet))],
};

test.each(Object.keys(layers))("%s", (name) => {
  const [linkType, wrap] = layers[name] ?? [0, (): Buffer => nothing];
  const frames = packets.map((packet, i) => ({ bytes: wrap(packet), atNs: BigInt(i) }));
  const heard = hear(pcapFile(frames, { linkType }));
  expect(heard.log).toEqual(["1 connect", "1 accept", "1 data > 5"]);
  expect(heard.connections[0]?.sent.map(textOf)).toEqual(["hello", ""]);
  expect(heard.packets).toEqual([]);
});

test("frames of a link type that plg cannot read are missing, and named", () => {
  const { findings } = hear(
    pcapFile([{ bytes: packets[0] as Buffer, atNs: 0n }], { linkType: 127 }),
  );
  expect(findings.missing.unreadableFrames).toBe(1);
  expect([...findings.unreadableLinkTypes]).toEqual([127]);
  expect(findings.isComplete).toBe(false);
});

test("frames of every link type, cut off anywhere, never throw", () => {
  for (const [linkType, wrap] of Object.values(layers))
    for (const packet of packets) {
      const frame = wrap(packet);
      for (let length = 0; length <= frame.length; length++)
        hear(pcapFile([{ bytes: frame, atNs: 0n }], { linkType, snapBytes: length }));
    }
});

test("fragments are put together, whatever their order", () => {
  const payload = Buffer.alloc(3000, "x");
  const last = packets[2] as Buffer;
  const whole = Buffer.concat([last.subarray(20, 40), payload]);
  const pieces = [0, 1000, 2000].map((from) =>
    ipv4(
      "10.0.0.1",
      "10.0.0.2",
      6,
      whole.subarray(from, from === 2000 ? whole.length : from + 1000),
      {
        identification: 77,
        fragment: (from === 2000 ? 0 : 0x2000) | (from / 8),
      },
    ),
  );
  const [a, b, c] = pieces as [Buffer, Buffer, Buffer];
  for (const order of [
    [a, b, c],
    [c, b, a],
    [b, a, b, c],
  ]) {
    const all = [...packets.slice(0, 2), ...order];
    const heard = hear(
      pcapFile(all.map((bytes, i) => ({ bytes: ethernet(bytes), atNs: BigInt(i) }))),
    );
    expect(heard.connections[0]?.sent.map(textOf)).toEqual([payload.toString(), ""]);
    expect(heard.findings.repaired.defragmented).toBe(1);
  }
  const lacking = [...packets.slice(0, 2), a, c];
  const heard = hear(
    pcapFile(lacking.map((bytes, i) => ({ bytes: ethernet(bytes), atNs: BigInt(i) }))),
  );
  expect(heard.findings.missing.incompleteFragments).toBe(1);
  expect(heard.findings.isComplete).toBe(false);
});

test("datagrams pass as packets, once even if two interfaces saw them", () => {
  const datagram = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1000, 53, Buffer.from("who is it?")));
  const inbound = prefix("0000 0001 0006 020000000001 0000 0800")(datagram);
  const outbound = prefix("0004 0001 0006 020000000001 0000 0800")(datagram);
  const again = { linkType: 113 };
  const twice = [inbound, outbound].map((bytes, i) => ({ bytes, atNs: BigInt(i) * 1000n }));
  expect(hear(pcapFile(twice, again)).packets).toEqual([new Uint8Array(datagram)]);
  const repeated = [inbound, inbound].map((bytes, i) => ({ bytes, atNs: BigInt(i) * 1000n }));
  expect(hear(pcapFile(repeated, again)).packets).toHaveLength(2);
});
