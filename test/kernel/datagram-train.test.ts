// A train of datagrams comes out of a TUN device in one piece, and its datagrams are those that the
// kernel makes of it.
import { closeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Fd } from "../../src/base/units.ts";
import { parseAddress } from "../../src/net/address.ts";
import { DatagramTrain } from "../../src/net/datagram-train.ts";
import { IPPROTO_UDP, PacketView } from "../../src/net/packet.ts";
import * as abi from "../../src/sys/abi.ts";
import { check } from "../../src/sys/errno.ts";
import { close, ioctl, read, send, setsockopt, socket } from "../../src/sys/libc.ts";
import { addAddress, setLinkUp } from "../../src/sys/interfaces.ts";
import { allocateRegion } from "../../src/sys/memory.ts";
import { connect } from "../../src/sys/socket.ts";
import { createTun } from "../../src/sys/tun.ts";
import { needs } from "../programs/machine.ts";
import { naiveIpv4Checksum, setWord, toHex, word } from "../unit/net/naive.ts";
import { endpoint, inOwnNetwork } from "./own-network.ts";

// <sys/socket.h>, <linux/udp.h>: what only a sender needs.
const SOCK_DGRAM = 2;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const at = abi.virtioNetHeaderBytes;

const option = allocateRegion(4);
const payload = allocateRegion(0x1_0000);
payload.bytes.forEach((_, i) => (payload.bytes[i] = (i * 7) & 0xff));

/** Sends `lengthBytes` as datagrams of `datagramBytes` each, in one call. */
function sendTrain(to: string, lengthBytes: number, datagramBytes: number): void {
  const family = to.includes(":") ? abi.AF_INET6 : abi.AF_INET;
  const fd = check(socket(family, SOCK_DGRAM, 0), "socket", "a sender") as Fd;
  option.view.setInt32(0, datagramBytes, true);
  check(setsockopt(fd, SOL_UDP, UDP_SEGMENT, option.address, 4), "setsockopt", "UDP_SEGMENT");
  expect(connect(fd, endpoint(to, 7000))).toEqual({ state: "connected" });
  expect(send(fd, payload.address, lengthBytes, 0)).toBe(lengthBytes);
  close(fd);
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly view: PacketView;
}

/** What a frame's datagrams carry each: gso_size in its virtio header. */
function sizeOf({ buffer }: Uint8Array): number {
  return new DataView(buffer).getUint16(4, true);
}

/** All UDP packets on a device, each behind its virtio header. */
function framesOf(tun: Fd): Frame[] {
  const memory = allocateRegion(0x1_0000 + at);
  const frames: Frame[] = [];
  for (;;) {
    const count = read(tun, memory.address, memory.bytes.length);
    if (count < 0) return frames;
    const bytes = memory.bytes.slice(0, count);
    const view = new PacketView();
    if (view.parse(bytes, at, count - at) && view.protocol === IPPROTO_UDP)
      frames.push({ bytes, view });
  }
}

/**
 * The packet in hexadecimal, but for what differs from socket to socket: its port, IPv4's
 * identification, IPv6's flow label.
 */
function comparable(packet: Uint8Array, base: number): string {
  const bytes = packet.slice();
  const v4 = (bytes[0] ?? 0) >> 4 === 4;
  const udpAt = v4 ? 20 : 40;
  if (v4) {
    expect(word(bytes, 10)).toBe(naiveIpv4Checksum(bytes));
    setWord(bytes, 4, (word(bytes, 4) - base) & 0xffff);
    setWord(bytes, 10, 0);
  } else bytes.fill(0, 1, 4);
  // The checksum covers the port: together they are the same for the same datagram.
  const sum = word(bytes, udpAt) + word(bytes, udpAt + 6);
  setWord(bytes, udpAt + 6, sum % 0xffff);
  setWord(bytes, udpAt, 0);
  return toHex(bytes);
}

/** The identification that IPv4 packets count up from. */
function firstOf(packets: readonly Uint8Array[]): number {
  return word(packets[0] ?? new Uint8Array(6), 4);
}

/** A device with addresses in both families. */
function tunWithAddresses(): Fd {
  const tun = createTun("tun0");
  addAddress("tun0", parseAddress("10.1.2.1") ?? new Uint8Array(), 24);
  addAddress("tun0", parseAddress("fd00:1::1") ?? new Uint8Array(), 64);
  setLinkUp("tun0", { mtuBytes: 1500, queuePackets: 500 });
  return tun;
}

describe("a train of datagrams", () => {
  needs();

  test.for([
    ["10.1.2.2", 44 * 1472, 1472],
    ["10.1.2.2", 1473, 1472],
    ["10.1.2.2", 3001, 1000],
    ["fd00:1::2", 40 * 1452, 1452],
    ["fd00:1::2", 1001, 100],
  ] as const)("to %s: %i bytes, %i each", ([to, lengthBytes, datagramBytes], { skip }) => {
    inOwnNetwork(() => {
      const tun = tunWithAddresses();
      sendTrain(to, lengthBytes, datagramBytes);
      const [train, ...others] = framesOf(tun);
      if (others.length > 0)
        skip("this kernel has no UDP segmentation for TUN devices (Linux 6.2)");
      if (!train) throw new Error("nothing came");
      expect(train.bytes[1]).toBe(abi.VIRTIO_NET_HDR_GSO_UDP_L4);
      const reader = new DatagramTrain();
      expect(reader.parse(train.bytes, train.view, sizeOf(train.bytes))).toBe(true);
      const out = new Uint8Array(2000);
      const ours = Array.from({ length: reader.count }, (_, index) =>
        out.slice(0, reader.write(out, 0, index)),
      );
      // Without any offload the kernel cuts and sums by itself.
      check(ioctl(tun, abi.TUNSETOFFLOAD, 0), "ioctl", "TUNSETOFFLOAD");
      sendTrain(to, lengthBytes, datagramBytes);
      const theirs = framesOf(tun).map(({ bytes }) => bytes.slice(at));
      expect(ours.map((packet) => comparable(packet, firstOf(ours)))).toEqual(
        theirs.map((packet) => comparable(packet, firstOf(theirs))),
      );
      expect(ours.length).toBe(Math.ceil(lengthBytes / datagramBytes));
      closeSync(tun);
    });
  });
});
