import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import { globalScript } from "../../../src/replay/schedule/script.ts";
import type { ScheduleOptions } from "../../../src/replay/schedule/schedule.ts";
import { Actor, anyRecording, choices, type Choose } from "./any-recording.ts";
import { Stage } from "./playbook.ts";
import { names } from "./recording.ts";

const someLive = fc.subarray([0, 1, 2], { minLength: 1 });
const anyOrder = fc.constantFrom("process", "connection", "global") satisfies fc.Arbitrary<
  ScheduleOptions["order"]
>;

function setUp(index: RecordingIndex, containers: number[], options: Partial<ScheduleOptions>) {
  const live = containers.map((container) => names[container] ?? "");
  const stage = new Stage(index, live, options);
  const actors = containers.map((container) => new Actor(stage, container));
  return { stage, actors };
}

const byNumber = (a: number, b: number): number => a - b;

type Run = ReturnType<typeof setUp>;

/**
 * Lets the processes and the schedules act in turns until nothing happens; the time stands still.
 */
function runToEnd(
  { stage, actors }: Run,
  choose: Choose,
  onDelivery: (event: number, actor: Actor, inOrder: boolean) => void = () => {},
): void {
  const inFlight: { event: number; actor: Actor }[] = [];
  const deliver = ({ event, actor }: { event: number; actor: Actor }): void => {
    onDelivery(event, actor, true);
    actor.delivered(event);
    stage.delivered(stage.schedule(actor.name), event);
  };
  for (let idle = 0; idle < 3;) {
    idle++;
    for (const { name } of actors) {
      const { type, event } = stage.schedule(name).next(stage.nowMs);
      if (type !== "deliver") continue;
      idle = 0;
      const actor = actors.find((one) => one.name === names[stage.index.receiver(event)]);
      if (actor === undefined) throw new Error("delivered to nobody");
      if (choose(2) === 0) deliver({ event, actor });
      else inFlight.push({ event, actor });
    }
    for (const actor of actors) {
      const open = actor.next();
      if (open.length > 0) idle = 0;
      if (open.length === 0 || choose(2) === 1) continue;
      const event = open[choose(open.length)] as number;
      for (const name of actor.do(event)) {
        const receiver = actors.find((one) => one.name === name);
        receiver?.delivered(event);
        if (receiver) onDelivery(event, receiver, false);
      }
    }
    const [first] = inFlight;
    if (first === undefined || (choose(2) === 0 && idle === 0)) continue;
    idle = 0;
    inFlight.shift();
    deliver(first);
  }
}

test("who does what was recorded gets everything, in order, without waiting, and differs in nothing", () => {
  fc.assert(
    fc.property(anyRecording, someLive, anyOrder, choices, (index, live, order, choose) => {
      const run = setUp(index, live, { order });
      const got = new Map(run.actors.map((actor) => [actor, [] as number[]]));
      runToEnd(run, choose, (event, actor, inOrder) => {
        const connection = order === "connection" ? index.connection(event) : undefined;
        const causes = order === "global" ? run.actors : [actor];
        const script = order === "global" ? [...globalScript(index, new Set(live))] : actor.script;
        for (const one of inOrder ? causes : [])
          expect(one.hasCaused(event, script, connection)).toBe(true);
        got.get(actor)?.push(event);
      });
      expect(run.stage.differences).toEqual([]);
      for (const actor of run.actors) {
        expect(actor.isDone).toBe(true);
        const schedule = run.stage.schedule(actor.name);
        expect(schedule.next(run.stage.nowMs).type).toBe("done");
        expect(schedule.played).toBe(schedule.total);
        const received = actor.script.filter((event) => !actor.isBy(event));
        expect(got.get(actor)?.toSorted(byNumber)).toEqual(received.toSorted(byNumber));
      }
    }),
    { numRuns: 300 },
  );
});

test("with a flood too, everything is delivered", () => {
  fc.assert(
    fc.property(anyRecording, someLive, choices, (index, live, choose) => {
      const { stage, actors } = setUp(index, live, { release: { type: "flood" } });
      runToEnd({ stage, actors }, choose);
      for (const actor of actors) expect(actor.isDone).toBe(true);
      expect(stage.differences).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test("at recorded speed, a process that is immediate takes as long as recorded", () => {
  fc.assert(
    fc.property(anyRecording, someLive, choices, (index, live, choose) => {
      const { stage, actors } = setUp(index, live, { release: { type: "speed", factor: 1 } });
      for (let steps = 0; steps < 400 && actors.some(({ isDone }) => !isDone); steps++) {
        runToEnd({ stage, actors }, choose);
        const untils = actors.map(({ name }) => stage.schedule(name).next(stage.nowMs).untilMs);
        const untilMs = Math.min(...untils);
        if (untilMs !== Infinity) stage.nowMs = untilMs;
      }
      const lastMs = index.eventCount === 0 ? 0 : index.timeNs(index.eventCount - 1) / 1e6;
      expect(stage.nowMs).toBeLessThanOrEqual(lastMs);
      expect(stage.differences).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

const anyRelease = fc.constantFrom<ScheduleOptions["release"]>(
  { type: "causal" },
  { type: "speed", factor: 2 },
  { type: "flood" },
);

test("whatever processes leave out, break off or do not take: replay comes to an end", () => {
  const options = fc.record({ order: anyOrder, release: anyRelease });
  fc.assert(
    fc.property(anyRecording, someLive, options, choices, (index, live, how, choose) => {
      const { stage, actors } = setUp(index, live, { ...how, patienceMs: 100 });
      const most = 200 + 60 * index.eventCount;
      let steps = 0;
      for (const actor of actors) {
        const schedule = stage.schedule(actor.name);
        const own = actor.script.filter((event) => actor.isBy(event) && choose(3) > 0);
        for (let turn = schedule.next(stage.nowMs); turn.type !== "done";) {
          expect(steps++).toBeLessThan(most);
          const isFree = turn.type === "deliver" && choose(4) > 0;
          if (isFree) stage.delivered(schedule, turn.event);
          else if (own.length > 0 && choose(2) === 0) actor.do(own.shift() as number);
          else if (turn.type === "wait") {
            expect(turn.untilMs).toBeLessThan(Infinity);
            expect(turn.untilMs).toBeGreaterThanOrEqual(stage.nowMs);
            stage.nowMs = turn.untilMs;
          }
          turn = schedule.next(stage.nowMs);
        }
        expect(schedule.played).toBe(schedule.total);
      }
    }),
    { numRuns: 400 },
  );
});

test("who is gone is not waited for at all", () => {
  fc.assert(
    fc.property(anyRecording, someLive, anyOrder, choices, (index, live, order, choose) => {
      const { stage, actors } = setUp(index, live, { order });
      for (const actor of actors) {
        for (let i = choose(10); i > 0; i--) stage.schedule(actor.name).next(0);
        stage.gone(live[actors.indexOf(actor)] as number);
      }
      for (const actor of actors) expect(stage.schedule(actor.name).next(0).type).toBe("done");
    }),
  );
});

test("whatever processes leave out: replay takes the recorded time and a few patiences", () => {
  const patienceMs = 100;
  const options = fc.record({ order: anyOrder, release: anyRelease });
  fc.assert(
    fc.property(anyRecording, someLive, options, choices, (index, live, how, choose) => {
      const { stage, actors } = setUp(index, live, { ...how, patienceMs });
      const left = new Map(
        actors.map((actor) => [
          actor.name,
          actor.script.filter((event) => actor.isBy(event) && choose(3) > 0),
        ]),
      );
      const schedules = [...new Set(stage.schedules.values())];
      const recordedMs = index.eventCount === 0 ? 0 : index.timeNs(index.eventCount - 1) / 1e6;
      for (;;) {
        // Whoever does anything does it at once.
        for (const actor of actors)
          for (const event of left.get(actor.name)?.splice(0) ?? []) actor.do(event);
        const steps = schedules.map((schedule) => ({ schedule, ...schedule.next(stage.nowMs) }));
        const deliveries = steps.filter(({ type }) => type === "deliver");
        for (const { schedule, event } of deliveries) stage.delivered(schedule, event);
        if (steps.every(({ type }) => type === "done")) break;
        if (deliveries.length === 0) stage.nowMs = Math.min(...steps.map(({ untilMs }) => untilMs));
      }
      expect(stage.nowMs).toBeLessThanOrEqual(recordedMs + 8 * patienceMs);
    }),
    { numRuns: 500 },
  );
});
