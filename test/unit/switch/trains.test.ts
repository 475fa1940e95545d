import { describe, expect, it } from "vitest";
import { PacketView } from "../../../src/net/packet.ts";
import { Trains } from "../../../src/switch/trains.ts";

const virtioBytes = 10;
const headerBytes = 28;
const datagrams = ["one", "two", "six", "ten", "x"];

/** A frame with these datagrams of three bytes as a train, from 10.0.0.1:1 to 10.0.0.2:2. */
function frame(): { bytes: Uint8Array; view: PacketView } {
  const payload = Buffer.from(datagrams.join(""));
  const bytes = new Uint8Array(virtioBytes + headerBytes + payload.length);
  bytes.set([1, 5, 0, 0, 3]);
  bytes.set([0x45, 0, 0, headerBytes + payload.length, 0, 0, 0x40, 0, 64, 17], virtioBytes);
  bytes.set([10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2, 0, 8 + payload.length], virtioBytes + 12);
  bytes.set(payload, virtioBytes + headerBytes);
  const view = new PacketView();
  expect(view.parse(bytes, virtioBytes, bytes.length - virtioBytes)).toBe(true);
  return { bytes, view };
}

const payloadOf = (bytes: Uint8Array, at: number, lengthBytes: number): string =>
  Buffer.from(bytes.subarray(at + headerBytes, at + lengthBytes)).toString();

/**
 * Shows a train's datagrams, of which some are wanted. Returns what is delivered one by one, or
 * that all goes as it is.
 */
function pass(wanted: (payload: string) => boolean): string[] | "whole" {
  const trains = new Trains();
  const { bytes, view } = frame();
  expect(trains.parse(bytes, view)).toBe(true);
  const seen: string[] = [];
  const isWhole = trains.show((datagram, at, lengthBytes) => {
    seen.push(payloadOf(datagram, at, lengthBytes));
    return wanted(seen.at(-1) ?? "");
  });
  expect(seen).toEqual(datagrams);
  if (isWhole) return "whole";
  const delivered: string[] = [];
  trains.deliverWanted((single, frameBytes) => {
    expect([...single.bytes.subarray(0, virtioBytes)]).toEqual(Array(virtioBytes).fill(0));
    delivered.push(payloadOf(single.bytes, virtioBytes, frameBytes - virtioBytes));
  });
  return delivered;
}

describe("a train in the switch", () => {
  it("passes as it is if all of it was recorded", () => {
    expect(pass(() => true)).toBe("whole");
  });

  it("passes in parts if the recorder took only some, and not at all if none", () => {
    expect(pass((payload) => payload !== "two" && payload !== "x")).toEqual(["one", "six", "ten"]);
    expect(pass((payload) => payload === "x")).toEqual(["x"]);
    expect(pass(() => false)).toEqual([]);
  });

  it("is none if its header says no size", () => {
    const { bytes, view } = frame();
    bytes[4] = 0;
    expect(new Trains().parse(bytes, view)).toBe(false);
  });
});
