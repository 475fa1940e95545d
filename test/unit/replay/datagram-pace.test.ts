import { expect, test } from "vitest";
import { DatagramPace } from "../../../src/replay/drive/datagram-pace.ts";
import { countDrops } from "../../../src/sys/datagram-drops.ts";
import { record } from "./recording.ts";

const { index } = record(`
  100 packet client:5000 server:53
  110 packet client:5000 server:53
  111 packet client:5000 server:54
  130 packet other:5001 server:53
`);

/** When each packet is played if the socket always holds so many bytes. */
function playTimes(queued: number | undefined, speed = 1): number[] {
  const clock = { nowMs: 0 };
  const pace = new DatagramPace({
    clock,
    index,
    speed,
    queuedBytes: () => queued,
    patienceMs: 2000,
    isBound: () => true,
  });
  return [0, 1, 2, 3].map((event) => {
    for (let ms = pace.holdMs(event); ms > 0; ms = pace.holdMs(event)) clock.nowMs += ms;
    return Math.round(clock.nowMs);
  });
}

test("datagrams to one socket keep their distance, unless it is seen empty", () => {
  expect(playTimes(1000)).toEqual([0, 10, 10, 30]);
  expect(playTimes(undefined)).toEqual([0, 10, 10, 30]);
  expect(playTimes(1000, 10)).toEqual([0, 1, 1, 3]);
  expect(playTimes(0)).toEqual([0, 0, 0, 0]);
});

/** When each packet is played if ports are bound at these times. */
function playTimesFor(boundMs: Readonly<Record<number, number>>, goneMs = Infinity): number[] {
  const clock = { nowMs: 0 };
  const pace = new DatagramPace({
    clock,
    index,
    speed: 1,
    queuedBytes: () => 0,
    patienceMs: 2000,
    isBound: ({ destinationPort }) => clock.nowMs >= (boundMs[destinationPort] ?? 0),
  });
  return [0, 1, 2, 3].map((event) => {
    for (let ms = pace.holdMs(event); ms > 0; ms = pace.holdMs(event)) {
      clock.nowMs += ms;
      if (clock.nowMs >= goneMs) pace.noteGone(0);
    }
    return Math.round(clock.nowMs);
  });
}

test("the first datagram to a port waits until the port is bound", () => {
  expect(playTimesFor({ 53: 40, 54: 70 })).toEqual([40, 40, 70, 70]);
});

test("a receiver that does not bind a port is waited for once, and not when it is gone", () => {
  expect(playTimesFor({ 53: Infinity, 54: Infinity })).toEqual([2100, 2100, 2100, 2100]);
  expect(playTimesFor({ 53: Infinity }, 30)).toEqual([30, 30, 30, 30]);
});

test("what the kernel dropped is read from the counters of both families", () => {
  const snmp = `Tcp: RtoAlgorithm RtoMin
Tcp: 1 200
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
Udp: 1018 3 482 5 482 0
`;
  expect(countDrops(snmp, "Udp6InDatagrams  \t4\nUdp6RcvbufErrors                \t18\n")).toBe(
    500,
  );
  expect(countDrops(snmp, "")).toBe(482);
});
