/**
 * Transcripts of replays. Each line is what a live process does, or what must become of it:
 *
 *     > client 1 connect     the live client does this; also accept, refuse, end, reset, "bytes", gone
 *     > client 1 open        it opens a connection that is not identified; this one is kept for it
 *     > client packet other  it sends a packet; `other:53 4711` to this port, from that one
 *     < client 1 5 bytes     this is delivered to it next; also connect, accept, refuse, end, reset,
 *     < client packet other  or a packet from there
 *     > client 1 astray "x"  bytes on a stream that has differed
 *     << client 1 5 bytes    the same, but it takes its time; `taken client` is when it is taken
 *     .. client              nothing is to be done for it now
 *     .. client until 40     the same, and it is asked to come again at this time
 *     @ 2500                 the time is now so many milliseconds
 *     ! missing-connection 1 this is the next difference; fields may follow: offset=3
 *     = client               all of its script is played
 */
import { Direction } from "../../../src/base/direction.ts";
import { expect } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { Progress } from "../../../src/replay/progress/progress.ts";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import {
  Schedule,
  type ScheduleOptions,
  type Step,
} from "../../../src/replay/schedule/schedule.ts";
import { LiveFlows } from "../../../src/replay/schedule/live-flows.ts";
import { bytesOf, linesOf, names, containerOf, placeOf, testFlow } from "./recording.ts";

const causal: ScheduleOptions = {
  order: "process",
  release: { type: "causal" },
  patienceMs: 2000,
};

export class Stage {
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly differences: Difference[] = [];
  readonly schedules = new Map<string, Schedule>();
  nowMs = 0;
  readonly #sent = new Map<string, number>();
  readonly #held = new Map<string, number>();
  readonly #flows: LiveFlows;

  constructor(
    index: RecordingIndex,
    live: readonly string[],
    options: Partial<ScheduleOptions> = {},
  ) {
    const all = { ...causal, ...options };
    this.index = index;
    this.progress = new Progress(index);
    this.#flows = new LiveFlows(index.flows);
    const containers = live.map(containerOf);
    const make = (mine: number[]): Schedule =>
      new Schedule(index, new Set(containers), mine, this.progress, all, (difference) => {
        this.differences.push(difference);
        this.progress.noteDeparture(containerOf(difference.process));
      });
    const shared = all.order === "global" ? make(containers) : undefined;
    for (const name of live) this.schedules.set(name, shared ?? make([containerOf(name)]));
  }

  play(text: string): void {
    for (const line of linesOf(text)) {
      const [sign = "", name = "", ...words] = line.split(/\s+/);
      const rest = line.slice(line.indexOf(name) + name.length).trim();
      if (sign === "@") this.nowMs = Number(name);
      else if (sign === ">") this.#does(name, words, rest);
      else if (sign === "taken") this.schedule(name).noteDelivered(this.#held.get(name) ?? -1);
      else if (sign === "!") this.#expectDifference(name, words, line);
      else expect(this.#turn(sign, name, rest.startsWith("until")), line).toBe(rest);
    }
  }

  schedule(name: string): Schedule {
    const schedule = this.schedules.get(name);
    if (schedule === undefined) throw new Error(`${name} is not live`);
    return schedule;
  }

  delivered(schedule: Schedule, event: number): void {
    if (this.index.kind(event) === RecordKind.packet) schedule.releasesPacket(event);
    schedule.noteDelivered(event);
  }

  /** A process is gone, which all schedules are told. */
  gone(container: number): void {
    for (const schedule of new Set(this.schedules.values())) schedule.noteGone(container);
  }

  /** A live process sends a packet. Returns the live ones that get it at once. */
  packet(sender: number, receiver: number, ports: readonly [number, number] = [0, 0]): string[] {
    const own = this.schedule(names[sender] ?? "");
    const flow = this.#flows.numberOf(testFlow(sender, receiver, ports));
    own.notePacket(flow, sender);
    const receiving = [...this.schedules.keys()].filter((name) =>
      receiver < 0 ? containerOf(name) !== sender : containerOf(name) === receiver,
    );
    const held = new Set<Schedule>();
    for (const schedule of new Set(receiving.map((name) => this.schedule(name)))) {
      if (schedule !== own) schedule.notePacket(flow, sender);
      if (schedule.holdsPacket(flow)) held.add(schedule);
    }
    return receiving.filter((name) => !held.has(this.schedule(name)));
  }

  /** What an event is, as a line of a transcript has it: `1 accept`, `1 5 bytes`. */
  describe(event: number): string {
    const { index } = this;
    const kind = index.kind(event);
    if (kind === RecordKind.packet) return `packet ${names[index.sender(event)] ?? ""}`;
    const [word] = Object.entries(RecordKind).find(([, value]) => value === kind) ?? [];
    const what = kind === RecordKind.data ? `${index.lengthBytes(event)} bytes` : (word ?? "");
    return `${index.connection(event)} ${what}`;
  }

  #does(name: string, words: string[], rest: string): void {
    const schedule = this.schedule(name);
    const [first = "", what = ""] = words;
    if (first === "gone") return this.gone(containerOf(name));
    if (first === "moves") return schedule.noteMoved();
    if (first === "packet") {
      const [, , from = "0"] = words;
      const to = placeOf(what);
      return void this.packet(containerOf(name), to.container, [Number(from), to.port]);
    }
    const number = Number(first);
    const isClient = this.index.connections.client(number) === containerOf(name);
    const direction = isClient ? Direction.toServer : Direction.toClient;
    if (what === "connect") schedule.noteConnected(number);
    else if (what === "open") schedule.noteOpened(number);
    else if (what === "accept") schedule.noteAccepted(number);
    else if (what === "refuse") schedule.noteRefused(number);
    else if (what === "end") schedule.noteEnd(number, direction);
    else if (what === "reset") schedule.noteReset(number, direction);
    else {
      const key = `${number} ${direction}`;
      const isAstray = what === "astray";
      const bytes = bytesOf(rest.slice(first.length).replace(" astray", ""));
      const total = (this.#sent.get(key) ?? 0) + bytes.length;
      this.#sent.set(key, total);
      schedule.noteBytes(number, direction, total, isAstray);
    }
  }

  /** What the schedule says, as the line that would expect it has it behind the name. */
  #turn(sign: string, name: string, asksUntil: boolean): string {
    const schedule = this.schedule(name);
    const turn = schedule.next(this.nowMs);
    if (sign === "=") return turn.type === "done" ? "" : this.#tell(turn);
    if (sign === "..") return this.#wait(turn, asksUntil);
    if (turn.type !== "deliver") return this.#tell(turn);
    const { event } = turn;
    if (sign === "<<") this.#held.set(name, event);
    else this.delivered(schedule, event);
    return this.describe(event);
  }

  #wait(turn: Step, asksUntil: boolean): string {
    if (turn.type !== "wait") return this.#tell(turn);
    return asksUntil ? `until ${turn.untilMs}` : "";
  }

  #tell(turn: Step): string {
    return `${turn.type} ${turn.event < 0 ? "" : this.describe(turn.event)}`;
  }

  #expectDifference(kind: string, words: string[], line: string): void {
    const difference = this.differences.shift() as unknown as Record<string, unknown> | undefined;
    expect(difference?.["kind"], line).toBe(kind);
    const [number, ...fields] = words;
    if (number !== undefined) expect(String(difference?.["connection"]), line).toBe(number);
    for (const field of fields) {
      const [key = "", value] = field.split("=");
      expect(String(difference?.[key]), line).toBe(value);
    }
  }
}
