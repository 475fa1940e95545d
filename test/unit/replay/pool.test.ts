import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endOf } from "../../../src/base/ids.ts";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import { Listener } from "../../../src/replay/drive/listener.ts";
import { Conversation } from "../../../src/replay/match/conversation.ts";
import { Matching } from "../../../src/replay/match/matching.ts";
import { Exchanges } from "../../../src/replay/match/exchanges.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { choices, type Choose } from "./any-recording.ts";
import { Stage } from "./playbook.ts";
import { liveAttempt, TestRecording } from "./recording.ts";

/** A pool that asks all `questions`, each where and when it happens to be its turn. */
function recordPool(
  size: number,
  questions: readonly string[],
  choose: Choose,
): { index: RecordingIndex; read: TestRecording["read"] } {
  const recording = new TestRecording();
  const queue = [...questions];
  const states = Array.from({ length: size }, () => ({ number: 0, asked: "", isIdle: false }));
  const say = (number: number, direction: Direction, text: string): void =>
    recording.event(atMs++, number, RecordKind.data, direction, Buffer.from(text));
  let atMs = 0;
  for (let open = size; open > 0;) {
    const state = states[choose(size)] as (typeof states)[number];
    if (state.number === 0) {
      state.number = recording.connect(atMs++, 1, 0, 80);
      recording.event(atMs++, state.number, RecordKind.accept, Direction.toClient);
      state.asked = "login;";
      say(state.number, Direction.toServer, state.asked);
    } else if (state.asked !== "") {
      say(state.number, Direction.toClient, `to ${state.asked}`);
      state.asked = "";
    } else if (queue.length > 0) {
      state.asked = queue.shift() as string;
      say(state.number, Direction.toServer, state.asked);
    } else if (!state.isIdle) {
      recording.event(atMs++, state.number, RecordKind.end, Direction.toServer);
      state.isIdle = true;
      open--;
    }
  }
  return { index: recording.finish(), read: recording.read };
}

/** A connection of the live pool. */
interface LiveConnection {
  readonly listener: Listener;
  /** What it has asked and not got the answer to yet. */
  asked: string;
  hasEnded: boolean;
}

class LivePool {
  readonly stage: Stage;
  readonly #read: TestRecording["read"];
  readonly #exchanges: Exchanges;
  readonly #matching: Matching;
  /** By end: who plays it. */
  readonly #playing = new Map<number, LiveConnection>();
  readonly connections: LiveConnection[] = [];

  constructor({ index, read }: ReturnType<typeof recordPool>) {
    this.stage = new Stage(index, ["client"]);
    this.#read = read;
    const { schedule } = this;
    const report = (one: Difference): unknown => this.stage.differences.push(one);
    this.#matching = new Matching(schedule.index, this.stage.progress, read, report);
    this.#exchanges = new Exchanges({
      index: schedule.index,
      progress: this.stage.progress,
      read,
      masks: [],
      hasReached: (event) => schedule.hasReached(event),
      shortestQuestionBytes: 1,
    });
  }

  get schedule() {
    return this.stage.schedule("client");
  }

  /** The run is over. */
  finish(): void {
    this.#matching.finish();
  }

  open(): LiveConnection {
    const { schedule, stage } = this;
    const match = this.#matching.attempt(liveAttempt(), schedule.windowEnd());
    if (match.type !== "matched") throw new Error(match.type);
    const number = match.connection;
    const { index } = schedule;
    const { progress } = stage;
    const [exchanges, matching] = [this.#exchanges, this.#matching];
    const isPast = (event: number): boolean => schedule.isPast(event);
    const parts = {
      index,
      read: this.#read,
      masks: [],
      isCut: () => false,
      deliveredBytes: () => 0,
      report: (one: (typeof stage.differences)[number]) => stage.differences.push(one),
    };
    const listener: Listener = new Listener(
      {
        schedule,
        direction: Direction.toServer,
        comparisonFor: (connection, from) =>
          comparisonFor(parts, connection, Direction.toServer, from),
        conversation: new Conversation({ index, progress, exchanges, matching, isPast }, number),
        onHeld: () => {},
        onMoved: (connection) => this.#playing.set(endOf(connection, Direction.toServer), live),
        onRematched: (from, to) => {
          this.#playing.delete(endOf(from, Direction.toServer));
          this.#playing.set(endOf(to, Direction.toServer), live);
        },
      },
      number,
    );
    const live: LiveConnection = { listener, asked: "", hasEnded: false };
    this.connections.push(live);
    this.#playing.set(endOf(number, Direction.toServer), live);
    schedule.noteConnected(number);
    this.ask(live, "login;");
    return live;
  }

  ask(live: LiveConnection, question: string): void {
    live.asked = question;
    live.listener.take(Buffer.from(question));
  }

  /** Delivers what is to be delivered now. What it is must answer what was asked there last. */
  deliver(): boolean {
    const { schedule } = this;
    const { index } = schedule;
    const { type, event } = schedule.next(0);
    if (type !== "deliver") return false;
    const live = this.#playing.get(endOf(index.connection(event), Direction.toServer));
    if (index.kind(event) === RecordKind.data) {
      const bytes = this.#read(index.payloadPosition(event), index.lengthBytes(event));
      expect(Buffer.from(bytes).toString()).toBe(`to ${live?.asked}`);
      if (live) live.asked = "";
    }
    schedule.noteDelivered(event);
    live?.listener.noteDelivered();
    return true;
  }
}

test("whoever of a pool asks, and when: no answer comes before its question, and none is missed", () => {
  const questions = fc.array(fc.constantFrom("a;", "b;", "bb;", "abc;", "abd;"), { maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), questions, choices, (size, all, choose) => {
      const live = new LivePool(recordPool(size, all, choose));
      const queue = all.map((question) => ({ question, key: choose(1000) }));
      queue.sort((a, b) => a.key - b.key);
      for (let number = 1; number <= size; number++) live.open();
      for (let idle = 0; idle < 3; idle++) {
        while (live.deliver()) idle = 0;
        for (const one of live.connections) {
          if (one.asked !== "" || one.hasEnded) continue;
          idle = 0;
          if (choose(3) === 0) continue;
          const next = queue.shift();
          if (next !== undefined) live.ask(one, next.question);
          else {
            one.hasEnded = true;
            one.listener.end("end");
          }
        }
      }
      expect(live.stage.differences).toEqual([]);
      expect(live.schedule.next(0).type).toBe("done");
    }),
    { numRuns: 300 },
  );
});

/** A program that logs in again for each question. */
function recordLogins(questions: readonly string[]): ReturnType<typeof recordPool> {
  const recording = new TestRecording();
  questions.forEach((question, i) => {
    const number = recording.connect(100 * i, 1, 0, 80);
    recording.event(100 * i, number, RecordKind.accept, Direction.toClient);
    for (const text of ["login;", question, "bye;"]) {
      recording.event(100 * i, number, RecordKind.data, Direction.toServer, Buffer.from(text));
      const answer = Buffer.from(`to ${text}`);
      recording.event(100 * i, number, RecordKind.data, Direction.toClient, answer);
    }
    recording.event(100 * i, number, RecordKind.end, Direction.toServer);
  });
  return { index: recording.finish(), read: recording.read };
}

test("a program that leaves out some of its logins gets the answers of the others at once", () => {
  const live = new LivePool(recordLogins(["one;", "two;", "three;", "four;", "five;"]));
  for (const question of ["one;", "four;", "five;"]) {
    const connection = live.open();
    for (const next of [question, "bye;"]) {
      while (live.deliver()) continue;
      expect(connection.asked).toBe("");
      live.ask(connection, next);
    }
    while (live.deliver()) continue;
    connection.listener.end("end");
  }
  live.finish();
  const { differences } = live.stage;
  expect(differences.map((one) => "connection" in one && [one.kind, one.connection])).toEqual([
    ["missing-connection", 2],
    ["missing-connection", 3],
  ]);
  expect(live.schedule.next(0).type).toBe("done");
});
