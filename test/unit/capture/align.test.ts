/** Two captures of one connection, on either side of a network, whose clocks disagree. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { align, corrected } from "../../../src/capture/align/alignment.ts";
import { fitClock } from "../../../src/capture/align/clock-fit.ts";
import { AlignedNumbers } from "../../../src/capture/align/renumbering.ts";
import { Timeline } from "../../../src/capture/align/timeline.ts";
import { emptySegment, type TcpSegment } from "../../../src/capture/track/tcp-segment.ts";
import { TCP_ACK, TCP_SYN } from "../../../src/net/packet.ts";

const client = 0;
const server = 1;
const ports = { [client]: 4711, [server]: 80 } as const;

/** Feeds a segment to a timeline. */
function see(timeline: Timeline, sender: 0 | 1, fields: Partial<TcpSegment>): void {
  const receiver = sender === client ? server : client;
  const segment = { ...emptySegment(), ...fields };
  timeline.add(4, sender, ports[sender], receiver, ports[receiver], segment);
}

interface World {
  /** What the second clock shows, as a function of the first one's time. */
  readonly offsetNs: number;
  readonly drift: number;
  /** By exchange: how long request and answer are on the way, and when they are captured at all. */
  readonly exchanges: readonly {
    readonly thereNs: number;
    readonly backNs: number;
    readonly isLost: boolean;
  }[];
  /** Something in between gives the connection other numbers. */
  readonly shift: number;
}

const world: fc.Arbitrary<World> = fc.record({
  offsetNs: fc.integer({ min: -20e9, max: 20e9 }),
  drift: fc.oneof(fc.constant(0), fc.double({ min: -2e-4, max: 2e-4, noNaN: true })),
  exchanges: fc.array(
    fc.record({
      thereNs: fc.integer({ min: 1000, max: 5e6 }),
      backNs: fc.integer({ min: 1000, max: 5e6 }),
      isLost: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
    }),
    { minLength: 3, maxLength: 60 },
  ),
  shift: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
});

/** What both captures see: the first at the client, the second at the server. */
function capture({ offsetNs, drift, exchanges, shift }: World): [Timeline, Timeline] {
  const near = new Timeline();
  const far = new Timeline();
  const farTime = (ns: number): number => ns + offsetNs + drift * ns;
  const both = (
    sender: 0 | 1,
    fields: Partial<TcpSegment>,
    nearNs: number,
    farNs: number,
    isLost: boolean,
  ): void => {
    see(near, sender, { ...fields, atNs: nearNs });
    const { sequence = 0, acknowledgment = 0 } = fields;
    const moved = {
      sequence: (sequence + shift) | 0,
      acknowledgment: (acknowledgment + shift) | 0,
    };
    if (!isLost) see(far, sender, { ...fields, ...moved, atNs: farTime(farNs) });
  };
  both(client, { flags: TCP_SYN, sequence: 100 }, 0, 50_000, false);
  const synAck = { flags: TCP_SYN | TCP_ACK, sequence: 900, acknowledgment: 101 };
  both(server, synAck, 200_000, 100_000, false);
  exchanges.forEach(({ thereNs, backNs, isLost }, i) => {
    const startNs = 1e9 * (i + 1);
    const payload = { payloadBytes: 10, capturedBytes: 10, flags: TCP_ACK };
    const answeredNs = startNs + thereNs + 1e6;
    const numbers = { sequence: 101 + 10 * i, acknowledgment: 901 + 10 * i };
    both(client, { ...payload, ...numbers }, startNs, startNs + thereNs, isLost);
    const answer = { sequence: numbers.acknowledgment, acknowledgment: numbers.sequence + 10 };
    both(server, { ...payload, ...answer }, answeredNs + backNs, answeredNs, false);
  });
  return [near, far];
}

test("the offset and drift of a clock are found to within the bounds that are told", () => {
  fc.assert(
    fc.property(world, (played) => {
      const { clocks } = align(capture(played));
      const { correction, fit, comparedWith } = clocks[1] ?? {};
      expect(comparedWith).toBe(0);
      expect(fit?.toleranceNs).toBeGreaterThanOrEqual(-1);
      const lastNs = 1e9 * played.exchanges.length;
      for (const atNs of [1e9, lastNs]) {
        const shown = atNs + played.offsetNs + played.drift * atNs;
        const error = Math.abs(corrected(correction ?? { scale: 1, shiftNs: 0 }, shown) - atNs);
        // No way there takes longer than 5 ms; drift makes the ends less certain.
        expect(error).toBeLessThanOrEqual(6e6 + Math.abs(played.drift) * lastNs * 2);
      }
    }),
  );
});

test("numbers that differ become those of the first capture", () => {
  const exchanges = [1, 2, 3].map(() => ({ thereNs: 1000, backNs: 1000, isLost: false }));
  const alignment = align(capture({ offsetNs: 5e9, drift: 0, exchanges, shift: 0x7000_0000 }));
  const numbers = new AlignedNumbers(alignment);
  const segment = {
    ...emptySegment(),
    sequence: (101 + 0x7000_0000) | 0,
    acknowledgment: (901 + 0x7000_0000) | 0,
    atNs: 2e9,
  };
  numbers.apply(1, client, ports[client], server, ports[server], segment);
  expect(segment).toMatchObject({ sequence: 101, acknowledgment: 901 });
  numbers.apply(0, client, ports[client], server, ports[server], segment);
  expect(segment).toMatchObject({ sequence: 101, acknowledgment: 901 });
});

test("captures that share nothing keep their clocks", () => {
  const [near] = capture({ offsetNs: 0, drift: 0, exchanges: [], shift: 0 });
  const { clocks } = align([near, new Timeline()]);
  expect(clocks[1]).toMatchObject({
    comparedWith: undefined,
    correction: { scale: 1, shiftNs: 0 },
  });
  expect(fitClock([], [{ atNs: 0, differenceNs: 1 }])).toBeUndefined();
});
