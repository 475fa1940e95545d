import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../src/net/address.ts";
import { PacketView } from "../../../src/net/packet.ts";
import { Subnet } from "../../../src/net/subnet.ts";
import { Routes, Verdict } from "../../../src/switch/core/route.ts";

const tcp = 6;
const udp = 17;
const icmp6 = 58;

const subnets = ["10.0.0.0/24", "fd00:1::/64"].map((text) => Subnet.parse(text));
/** Three containers: 10.0.0.1 to .3, fd00:1::1 to ::3. */
const routes = new Routes(subnets, 3);

/** The verdict of `routes` on a packet between these addresses. */
function verdict(
  from: number | "pipe",
  source: string,
  destination: string,
  protocol: number,
  by = routes,
): number {
  const bytes = packet(source, destination, protocol);
  const view = new PacketView();
  expect(view.parse(bytes, 0, bytes.length)).toBe(true);
  return from === "pipe" ? by.fromPipeSpace(view, bytes) : by.fromContainer(view, bytes, from);
}

/** A packet with a transport header of 20 bytes. */
function packet(source: string, destination: string, protocol: number): Uint8Array {
  const from = parseAddress(source) ?? new Uint8Array();
  const to = parseAddress(destination) ?? new Uint8Array();
  const v4 = from.length === 4;
  const bytes = new Uint8Array(v4 ? 40 : 60);
  if (v4) bytes.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol]);
  else bytes.set([0x60, 0, 0, 0, 0, 20, protocol, 64]);
  bytes.set(from, v4 ? 12 : 8);
  bytes.set(to, v4 ? 16 : 24);
  bytes[(v4 ? 20 : 40) + 12] = 0x50;
  return bytes;
}

describe("from a container", () => {
  it.each([
    ["10.0.0.1", "10.0.0.2"],
    ["10.0.0.1", "10.0.0.1"],
    ["fd00:1::1", "fd00:1::3"],
  ])("TCP from %s to %s goes into the pipe space", (source, destination) => {
    expect(verdict(0, source, destination, tcp)).toBe(Verdict.pipe);
  });

  it.each([
    ["10.0.0.1", "10.0.0.3", udp, 2],
    ["fd00:1::1", "fd00:1::2", icmp6, 1],
  ])("anything else from %s to %s goes there", (source, destination, protocol, to) => {
    expect(verdict(0, source, destination, protocol)).toBe(to);
  });

  it.each([
    ["10.0.0.1", "10.0.0.255", udp],
    ["10.0.0.1", "255.255.255.255", udp],
    ["10.0.0.1", "224.0.0.251", udp],
    ["fd00:1::1", "ff02::1", icmp6],
    ["fd00:1::1", "ff02::fb", udp],
  ])("from %s to %s goes to everyone", (source, destination, protocol) => {
    expect(verdict(0, source, destination, protocol)).toBe(Verdict.everyone);
  });

  it.each([
    ["10.0.0.1", "10.0.0.4", tcp],
    ["10.0.0.1", "10.0.0.254", udp],
    ["10.0.0.1", "10.0.0.0", tcp],
    ["fd00:1::1", "fd00:1::4", tcp],
  ])("from %s to %s, which is nobody, is unreachable", (source, destination, protocol) => {
    expect(verdict(0, source, destination, protocol)).toBe(Verdict.unreachable);
  });

  it.each([
    ["a neighbour's address", "10.0.0.2", "10.0.0.3"],
    ["an address elsewhere", "192.0.2.1", "10.0.0.2"],
  ])("with %s as its source it is foreign", (_, source, destination) => {
    expect(verdict(0, source, destination, tcp)).toBe(Verdict.foreign);
  });

  it("out of the subnet it is foreign", () => {
    expect(verdict(0, "10.0.0.1", "192.0.2.1", tcp)).toBe(Verdict.foreign);
    expect(verdict(0, "fd00:1::1", "2001:db8::1", udp)).toBe(Verdict.foreign);
  });

  it("of a family that the run does not have it is foreign", () => {
    const v4Alone = new Routes(subnets.slice(0, 1), 3);
    expect(verdict(0, "fd00:1::1", "fd00:1::2", tcp, v4Alone)).toBe(Verdict.foreign);
  });
});

describe("from the pipe space", () => {
  it("TCP from a container's address goes to the container", () => {
    expect(verdict("pipe", "10.0.0.1", "10.0.0.2", tcp)).toBe(1);
    expect(verdict("pipe", "fd00:1::3", "fd00:1::1", tcp)).toBe(0);
  });

  it("to nobody it is unreachable", () => {
    expect(verdict("pipe", "10.0.0.1", "10.0.0.9", tcp)).toBe(Verdict.unreachable);
  });

  it("anything else is foreign", () => {
    expect(verdict("pipe", "10.0.0.1", "10.0.0.2", udp)).toBe(Verdict.foreign);
    expect(verdict("pipe", "192.0.2.1", "10.0.0.2", tcp)).toBe(Verdict.foreign);
  });
});
