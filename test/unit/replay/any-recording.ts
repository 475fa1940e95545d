/** Random recordings, and processes that do what theirs did. */
import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import { phaseAfter, type Phase } from "../../../src/dump/format/lifecycle.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import { scriptOf } from "../../../src/replay/schedule/script.ts";
import { names, TestRecording } from "./recording.ts";
import type { Stage } from "./playbook.ts";

const moves = fc.array(
  fc.record({
    which: fc.nat(1000),
    kind: fc.constantFrom(0, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4, 5, 6, 7),
    direction: fc.constantFrom(Direction.toServer, Direction.toClient),
    gapMs: fc.nat(40),
    length: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 50 },
);

/** Three containers that do whatever a connection's phases allow. */
export const anyRecording: fc.Arbitrary<RecordingIndex> = moves.map((all) => {
  const recording = new TestRecording();
  const phases: Phase[] = [];
  let atMs = 0;
  for (const { which, kind, direction, gapMs, length } of all) {
    atMs += gapMs;
    if (kind === 0) recording.packet(atMs, which % 3, (which + 1) % 3);
    else if (kind === 1 || phases.length === 0) {
      recording.connect(atMs, which % 3, (which + 1 + (which % 2)) % 3, 80);
      phases.push("connecting");
    } else {
      const number = (which % phases.length) + 1;
      const phase = phaseAfter(phases[number - 1] ?? "over", kind, direction);
      if (phase === undefined || kind === 7) continue;
      phases[number - 1] = phase;
      const payload = new Uint8Array(kind === RecordKind.data ? length : 0);
      recording.event(atMs, number, kind, direction, payload);
    }
  }
  return recording.finish();
});

/** Numbers that decide what happens next; the same again when a failure is replayed. */
export type Choose = (below: number) => number;
export const choices: fc.Arbitrary<Choose> = fc
  .infiniteStream(fc.nat())
  .map((stream) => (below) => (stream.next().value as number) % below);

/** A live process: its script, and what of it has happened. */
export class Actor {
  readonly name: string;
  readonly script: readonly number[];
  readonly #stage: Stage;
  readonly #container: number;
  readonly #happened = new Set<number>();

  constructor(stage: Stage, container: number) {
    this.#stage = stage;
    this.#container = container;
    this.name = names[container] ?? "";
    this.script = [...scriptOf(stage.index, container)];
  }

  get isDone(): boolean {
    return this.script.every((event) => this.#happened.has(event));
  }

  isBy(event: number): boolean {
    return this.#stage.index.sender(event) === this.#container;
  }

  delivered(event: number): void {
    this.#happened.add(event);
  }

  /**
   * Whether everything of its script has happened that stands before `event` in `order`; of the
   * connection alone, if one is given.
   */
  hasCaused(event: number, order: readonly number[], connection?: number): boolean {
    const own = new Set(this.script);
    return order
      .slice(0, order.indexOf(event))
      .every(
        (other) =>
          !own.has(other) ||
          this.#happened.has(other) ||
          (connection !== undefined && this.#stage.index.connection(other) !== connection),
      );
  }

  /**
   * What it can do next: what follows all that it knows, in any order, but each connection in its
   * own.
   */
  next(): number[] {
    const known = this.script.findIndex((event) => !this.isBy(event) && !this.#happened.has(event));
    const open = this.script
      .slice(0, known < 0 ? undefined : known)
      .filter((event) => !this.#happened.has(event));
    const { index } = this.#stage;
    return open.filter(
      (event) =>
        open.find((other) => index.connection(other) === index.connection(event)) === event,
    );
  }

  /** Does what `event` says. Returns who gets it at once, if it is a packet. */
  do(event: number): readonly string[] {
    const { index } = this.#stage;
    const schedule = this.#stage.schedule(this.name);
    const connection = index.connection(event);
    const direction = index.direction(event);
    this.#happened.add(event);
    switch (index.kind(event)) {
      case RecordKind.connect:
        schedule.noteConnected(connection);
        break;
      case RecordKind.accept:
        schedule.noteAccepted(connection);
        break;
      case RecordKind.refuse:
        schedule.noteRefused(connection);
        break;
      case RecordKind.data: {
        const total = index.streamOffset(event) + index.lengthBytes(event);
        schedule.noteBytes(connection, direction, total);
        break;
      }
      case RecordKind.end:
        schedule.noteEnd(connection, direction);
        break;
      case RecordKind.reset:
        schedule.noteReset(connection, direction);
        break;
      case RecordKind.packet:
        return this.#stage.packet(index.sender(event), index.receiver(event));
      default:
    }
    return [];
  }
}
