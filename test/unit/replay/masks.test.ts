// More masks never give more differences: a mask excuses bytes, and must not disturb a replay.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endOf } from "../../../src/base/ids.ts";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import type { Comparison } from "../../../src/replay/compare/compare.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import type { Mask } from "../../../src/replay/compare/masks.ts";
import { DifferenceLog } from "../../../src/replay/findings/difference-log.ts";
import { reporterFor } from "../../../src/replay/findings/reporter.ts";
import { Progress } from "../../../src/replay/progress/progress.ts";
import { Schedule } from "../../../src/replay/schedule/schedule.ts";
import { TestRecording } from "./recording.ts";

const [server, client] = [0, 1];
const { toServer, toClient } = Direction;

/** What a client asks on its connections, one after the other, now and in the recording. */
interface Conversation {
  readonly recorded: readonly (readonly string[])[];
  readonly now: readonly (readonly string[])[];
}

/** Questions like `get 12;`, some with another number now, of another length perhaps. */
const conversation: fc.Arbitrary<Conversation> = fc
  .array(fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.boolean()), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((connections) => ({
    recorded: connections.map((questions) => questions.map(([id]) => `get ${id};`)),
    now: connections.map((questions) =>
      questions.map(([id, other, changes]) => `get ${changes ? other : id};`),
    ),
  }));

function record(connections: readonly (readonly string[])[]): TestRecording {
  const recording = new TestRecording();
  for (const questions of connections) {
    const number = recording.connect(0, client, server, 80);
    recording.event(0, number, RecordKind.accept, toClient);
    for (const question of questions) {
      recording.event(0, number, RecordKind.data, toServer, Buffer.from(question));
      recording.event(0, number, RecordKind.data, toClient, Buffer.from("ok"));
    }
    recording.event(0, number, RecordKind.end, toServer);
    recording.event(0, number, RecordKind.end, toClient);
  }
  return recording;
}

/** Asks the next question when the one before was answered. An answer to nothing breaks it. */
class Client {
  readonly #connections: readonly (readonly string[])[];
  #connection = 0;
  #asked = 0;
  #answers = 0;
  isBroken = false;

  constructor(connections: readonly (readonly string[])[]) {
    this.#connections = connections;
  }

  get connection(): number {
    return this.#connection;
  }

  connect(): boolean {
    const isNext = !this.isBroken && this.#connection < this.#connections.length;
    this.#asked = this.#answers = 0;
    if (isNext) this.#connection++;
    return isNext;
  }

  /** The next question; undefined while the one before is not answered, or if there is none. */
  ask(): string | undefined {
    const questions = this.#connections[this.#connection - 1];
    if (this.isBroken || this.#asked > this.#answers) return undefined;
    return questions?.[this.#asked++];
  }

  get isSatisfied(): boolean {
    return !this.isBroken && this.#answers === this.#connections[this.#connection - 1]?.length;
  }

  answered(): void {
    this.#answers++;
    this.isBroken ||= this.#answers > this.#asked;
  }
}

/** Replays the conversation with a client alone, and returns how often it differs. */
function countDifferences({ recorded, now }: Conversation, masks: readonly Mask[]): number {
  const recording = record(recorded);
  const index = recording.finish();
  return new Replay(index, recording, masks, new Client(now)).run();
}

class Replay {
  readonly #index: RecordingIndex;
  readonly #client: Client;
  readonly #log = new DifferenceLog(99);
  readonly #schedule: Schedule;
  readonly #comparison: (connection: number) => Comparison;
  readonly #comparisons = new Map<number, Comparison>();
  #nowMs = 0;

  constructor(
    index: RecordingIndex,
    recording: TestRecording,
    masks: readonly Mask[],
    live: Client,
  ) {
    const progress = new Progress(index);
    const reporter = reporterFor(this.#log, index, progress);
    const options = {
      order: "process",
      release: { type: "causal" },
      patienceMs: 100,
    } as const;
    const set = new Set([client]);
    this.#index = index;
    this.#client = live;
    this.#schedule = new Schedule(index, set, [client], progress, options, reporter.report);
    const parts = {
      index,
      read: recording.read,
      ...reporter,
      masks,
      isCut: () => false,
      deliveredBytes: (connection: number, direction: Direction) =>
        progress.receivedBytes(endOf(connection, direction)),
    };
    this.#comparison = (number) => comparisonFor(parts, number, toServer);
  }

  run(): number {
    this.#connect();
    for (let turn = 0; turn < 1000; turn++) {
      while (this.#ask());
      const step = this.#schedule.next(this.#nowMs);
      if (step.type === "done") break;
      if (step.type === "deliver") this.#deliver(step.event);
      else if (!this.#settle(step.event)) this.#nowMs = step.untilMs;
    }
    for (const one of this.#comparisons.values()) one.finish();
    return this.#log.count;
  }

  #connect(): void {
    if (!this.#client.connect()) return;
    this.#schedule.noteConnected(this.#client.connection);
    this.#comparisons.set(this.#client.connection, this.#comparison(this.#client.connection));
  }

  #ask(): boolean {
    const number = this.#client.connection;
    const comparison = this.#comparisons.get(number);
    const question = this.#client.ask();
    if (question === undefined || comparison === undefined) return false;
    const bytes = Buffer.from(question);
    const isAstray = comparison.hasDiffered;
    comparison.push(bytes, 0, bytes.length);
    this.#schedule.noteBytes(number, toServer, comparison.position, isAstray);
    return true;
  }

  /** What live-end.ts does for a process that is quiet. */
  #settle(event: number): boolean {
    if (event < 0 || this.#index.kind(event) !== RecordKind.data) return false;
    const number = this.#index.connection(event);
    const comparison = this.#comparisons.get(number);
    const end = this.#index.endOffset(event);
    if (!comparison || (!comparison.hasDiffered && comparison.foreseenBytes < end)) return false;
    comparison.foresee();
    this.#schedule.noteBytes(number, toServer, end);
    return true;
  }

  #deliver(event: number): void {
    const number = this.#index.connection(event);
    const kind = this.#index.kind(event);
    if (kind === RecordKind.data) this.#client.answered();
    this.#schedule.noteDelivered(event);
    const isOver = this.#client.isBroken || this.#client.isSatisfied;
    if (kind !== RecordKind.data || !isOver) return;
    const comparison = this.#comparisons.get(number);
    comparison?.finish();
    if (comparison && !comparison.hasDiffered)
      this.#schedule.noteBytes(number, toServer, comparison.position);
    if (this.#client.isBroken) this.#schedule.noteReset(number, toServer);
    else this.#schedule.noteEnd(number, toServer);
    this.#connect();
  }
}

const someMasks: readonly Mask[] = [
  { pattern: /[^]*/ },
  { pattern: /\d+/ },
  { pattern: /1/ },
  { pattern: /get [^]*/ },
  { pattern: /get \d+;/ },
  { pattern: /;[^]*get/ },
  { pattern: /[^;]*/, direction: "to server" },
];

test("what is replayed as it was recorded differs in nothing, with any masks", () => {
  fc.assert(
    fc.property(conversation, fc.subarray([...someMasks]), ({ recorded }, masks) => {
      expect(countDifferences({ recorded, now: recorded }, masks)).toBe(0);
    }),
  );
});

test("more masks never give more differences", () => {
  fc.assert(
    fc.property(conversation, fc.subarray([...someMasks]), fc.nat(99), (talk, masks, seed) => {
      const fewer = masks.filter((_, i) => (seed >> i) % 2 === 0);
      expect(countDifferences(talk, masks)).toBeLessThanOrEqual(countDifferences(talk, fewer));
    }),
    { numRuns: 1000 },
  );
});

test("a mask over everything leaves nothing to differ in", () => {
  fc.assert(
    fc.property(conversation, (talk) => {
      expect(countDifferences(talk, [{ pattern: /[^]*/ }])).toBe(0);
    }),
  );
});
