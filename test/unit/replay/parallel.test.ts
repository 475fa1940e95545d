import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { Matching } from "../../../src/replay/match/matching.ts";
import type { ScheduleOptions } from "../../../src/replay/schedule/schedule.ts";
import { Stage } from "./playbook.ts";
import { liveAttempt, type record, TestRecording } from "./recording.ts";

type Recorded = ReturnType<typeof record>;

/** A client of many threads: each connects, asks for its own thing, gets an answer, ends. */
function recordThreads(count: number, overlapMs: number, random: () => number): Recorded {
  const recording = new TestRecording();
  const moments: { atMs: number; act: () => void }[] = [];
  const numbers = new Map<number, number>();
  for (let thread = 0; thread < count; thread++) {
    let atMs = random() * overlapMs;
    const then = (act: (atMs: number) => void): void => {
      const at = (atMs += random() * 10);
      moments.push({ atMs: at, act: () => act(at) });
    };
    const number = (): number => numbers.get(thread) ?? 0;
    const say = (at: number, direction: Direction, text: string): void =>
      recording.event(at, number(), RecordKind.data, direction, Buffer.from(text));
    then((at) => numbers.set(thread, recording.connect(at, 1, 0, 80)));
    then((at) => recording.event(at, number(), RecordKind.accept, Direction.toClient));
    then((at) => say(at, Direction.toServer, `GET /${thread};`));
    then((at) => say(at, Direction.toClient, "here you are"));
    then((at) => recording.event(at, number(), RecordKind.end, Direction.toServer));
  }
  for (const { act } of moments.toSorted((a, b) => a.atMs - b.atMs)) act();
  return { index: recording.finish(), read: recording.read };
}

/** What a driver does, with sockets that are always ready. Returns how many threads were served. */
function replayThreads(
  { index, read }: Recorded,
  order: readonly number[],
  options: Partial<ScheduleOptions>,
): { served: number; stage: Stage } {
  const stage = new Stage(index, ["client"], options);
  const schedule = stage.schedule("client");
  const matching = new Matching(index, stage.progress, read, (one) => stage.differences.push(one));
  /** By connection: what is sent once it is accepted, if it was matched before that. */
  const asking = new Map<number, Buffer>();
  let served = 0;
  const play = (): void => {
    for (let turn = schedule.next(0); turn.type === "deliver"; turn = schedule.next(0)) {
      const { event } = turn;
      const connection = index.connection(event);
      schedule.noteDelivered(event);
      const text = asking.get(connection);
      if (index.kind(event) === RecordKind.accept && text !== undefined)
        schedule.noteBytes(connection, Direction.toServer, text.length);
      if (index.kind(event) !== RecordKind.data) continue;
      served++;
      schedule.noteEnd(connection, Direction.toServer);
    }
  };
  for (const thread of order) {
    const text = Buffer.from(`GET /${thread};`);
    const attempt = liveAttempt();
    const match = matching.attempt(attempt, schedule.windowEnd(1));
    if (match.type === "none") throw new Error("unexpected");
    if (match.type === "matched") {
      asking.set(match.connection, text);
      schedule.noteConnected(match.connection);
    } else {
      const connection = match.pending.push(text, 0, text.length) ?? match.pending.conclude();
      expect(Buffer.from(index.connections.opening(connection)).toString()).toBe(text.toString());
      schedule.noteConnected(connection);
      schedule.noteBytes(connection, Direction.toServer, text.length);
    }
    play();
  }
  expect(schedule.next(0).type).toBe("done");
  return { served, stage };
}

function shuffle(count: number, random: () => number): number[] {
  return Array.from({ length: count }, (_, i) => ({ i, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ i }) => i);
}

test("threads that come in another order are served as recorded, without any patience", () => {
  const orders = fc.constantFrom<Partial<ScheduleOptions>>(
    { order: "process" },
    { order: "connection" },
    { order: "global" },
    { release: { type: "flood" } },
  );
  const overlaps = fc.constantFrom(0, 20, 200);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 25 }),
      overlaps,
      orders,
      fc.nat(),
      (count, overlap, options, seed) => {
        const random = randomFrom(seed);
        const recorded = recordThreads(count, overlap, random);
        const { served, stage } = replayThreads(recorded, shuffle(count, random), options);
        expect(served).toBe(count);
        expect(stage.differences).toEqual([]);
      },
    ),
  );
});

test("1000 threads take well under a second", () => {
  const random = randomFrom(1);
  const recorded = recordThreads(1000, 500, random);
  const startMs = performance.now();
  const { served, stage } = replayThreads(recorded, shuffle(1000, random), {});
  expect(performance.now() - startMs).toBeLessThan(1000);
  expect(served).toBe(1000);
  expect(stage.differences).toEqual([]);
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
