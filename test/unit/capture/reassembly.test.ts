/**
 * A known pair of streams is cut into segments, which are duplicated, cut again, reordered and left
 * out of the capture. The import must give the streams, or exactly what is missing.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { TCP_ACK, TCP_FIN, TCP_SYN } from "../../../src/net/packet.ts";
import { hear, type Stretch, textOf } from "./events.ts";
import { ethernet, pcapFile, tcp, type TcpFields } from "./packets.ts";

interface Step {
  readonly isFromClient: boolean;
  readonly lengthBytes: number;
  /** The capture lacks this segment. */
  readonly isLost: boolean;
  /** It was captured again, cut at another place: how many bytes earlier and longer. */
  readonly again: { readonly earlierBytes: number; readonly lengthBytes: number } | undefined;
  /** So many packets later than its turn. */
  readonly lateBy: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  isFromClient: fc.boolean(),
  lengthBytes: fc.integer({ min: 1, max: 40 }),
  isLost: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  again: fc.option(
    fc.record({ earlierBytes: fc.nat(60), lengthBytes: fc.integer({ min: 1, max: 80 }) }),
    { nil: undefined, freq: 3 },
  ),
  lateBy: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(12) }),
});

interface Scene {
  readonly steps: readonly Step[];
  readonly isns: readonly [number, number];
}

const scene: fc.Arbitrary<Scene> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 60 }),
  // Near the end of the sequence space, so that it wraps, as often as elsewhere.
  isns: fc.tuple(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }),
    ),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  ),
});

/** Byte `at` of a stream. */
function byteAt(isFromClient: boolean, at: number): number {
  return (at * 7 + (isFromClient ? 1 : 100) + (at >>> 8)) & 0xff;
}

function pieceOf(isFromClient: boolean, from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: to - from }, (_, i) => byteAt(isFromClient, from + i));
}

interface Timed {
  readonly turn: number;
  readonly bytes: Uint8Array;
}

function inTurn(timed: readonly Timed[]): Uint8Array[] {
  return timed.toSorted((a, b) => a.turn - b.turn).map(({ bytes }) => bytes);
}

/** Plays a scene: the frames of the capture, and by direction which bytes they hold. */
function play({ steps, isns }: Scene): {
  frames: Uint8Array[];
  held: readonly [Set<number>, Set<number>];
  sent: readonly [number, number];
} {
  const sent: [number, number] = [0, 0];
  const held = [new Set<number>(), new Set<number>()] as const;
  const timed: Timed[] = [];
  let turn = 0;
  const put = (isFromClient: boolean, fields: Partial<TcpFields>, lateBy = 0): void => {
    const [fromPort, toPort] = isFromClient ? [4711, 80] : [80, 4711];
    const [from, to] = isFromClient ? ["10.0.0.1", "10.0.0.2"] : ["10.0.0.2", "10.0.0.1"];
    const packet = tcp({ from, to, fromPort, toPort, sequence: 0, ...fields });
    timed.push({ turn: turn + lateBy + 0.5 * Math.min(lateBy, 1), bytes: ethernet(packet) });
    turn++;
  };
  const sequenceOf = (isFromClient: boolean, at: number): number =>
    ((isFromClient ? isns[0] : isns[1]) + 1 + at) >>> 0;
  const ackBy = (isFromClient: boolean): number =>
    sequenceOf(!isFromClient, isFromClient ? sent[1] : sent[0]);
  const segment = (isFromClient: boolean, from: number, to: number, lateBy: number): void => {
    const mine = held[isFromClient ? 0 : 1];
    for (let at = from; at < to; at++) mine.add(at);
    put(
      isFromClient,
      {
        sequence: sequenceOf(isFromClient, from),
        acknowledgment: ackBy(isFromClient),
        payload: pieceOf(isFromClient, from, to),
      },
      lateBy,
    );
  };
  put(true, { sequence: isns[0], flags: TCP_SYN });
  put(false, { sequence: isns[1], acknowledgment: sequenceOf(true, 0), flags: TCP_SYN | TCP_ACK });
  for (const { isFromClient, lengthBytes, isLost, again, lateBy } of steps) {
    const side = isFromClient ? 0 : 1;
    const from = sent[side];
    sent[side] += lengthBytes;
    if (!isLost) segment(isFromClient, from, sent[side], lateBy);
    if (again === undefined) continue;
    const start = Math.max(0, sent[side] - again.earlierBytes);
    segment(isFromClient, start, Math.min(sent[side], start + again.lengthBytes) || 1, lateBy);
  }
  for (const isFromClient of [true, false]) {
    turn += 20;
    const end = sequenceOf(isFromClient, isFromClient ? sent[0] : sent[1]);
    put(isFromClient, {
      sequence: end,
      acknowledgment: ackBy(isFromClient),
      flags: TCP_FIN | TCP_ACK,
    });
  }
  turn += 20;
  put(true, {
    sequence: (sequenceOf(true, sent[0]) + 1) >>> 0,
    acknowledgment: (ackBy(true) + 1) >>> 0,
  });
  return { frames: inTurn(timed), held, sent };
}

/** The naive twin: byte by byte, what is there and what is not. */
function expected(isFromClient: boolean, held: ReadonlySet<number>, sent: number): string {
  const stretches: Stretch[] = [];
  for (let at = 0; at < sent;) {
    let end = at;
    while (end < sent && held.has(end) === held.has(at)) end++;
    stretches.push(held.has(at) ? pieceOf(isFromClient, at, end) : end - at);
    at = end;
  }
  return textOf(stretches);
}

test("segments in any order, twice, overlapping and left out give the streams and exactly their holes", () => {
  fc.assert(
    fc.property(scene, (played) => {
      const { frames, held, sent } = play(played);
      const file = pcapFile(frames.map((bytes, i) => ({ bytes, atNs: BigInt(i) * 1_000_000n })));
      const { connections, findings } = hear(file);
      expect(connections).toHaveLength(1);
      const [connection] = connections;
      expect(connection?.sent.map(textOf)).toEqual([
        expected(true, held[0], sent[0]),
        expected(false, held[1], sent[1]),
      ]);
      expect(connection?.events.at(-1)).toMatch(/^end/);
      const lost = sent[0] + sent[1] - held[0].size - held[1].size;
      expect(findings.missing.bytes).toBe(lost);
    }),
    { numRuns: 400 },
  );
});
