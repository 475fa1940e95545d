import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Timer, Timers } from "../../../src/sys/timers.ts";

/** The same by looking through a list each time. */
class NaiveTimers {
  list: { id: number; dueMs: number }[] = [];

  add(id: number, dueMs: number): void {
    this.list.push({ id, dueMs });
  }

  cancel(id: number): void {
    this.list = this.list.filter((timer) => timer.id !== id);
  }

  nextDueMs(): number | undefined {
    return this.list.length === 0 ? undefined : Math.min(...this.list.map(({ dueMs }) => dueMs));
  }

  run(nowMs: number): number[] {
    const due = this.list.filter(({ dueMs }) => dueMs <= nowMs);
    this.list = this.list.filter(({ dueMs }) => dueMs > nowMs);
    return due.map(({ dueMs }) => dueMs).toSorted((a, b) => a - b);
  }
}

type Step = { add: number } | { cancel: number } | { run: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 60 }) }) },
    { weight: 2, arbitrary: fc.record({ cancel: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ run: fc.integer({ min: 0, max: 60 }) }) },
  ),
  { maxLength: 120 },
);

/** Does the same to both, and compares what they say. */
function follow(all: readonly Step[]): void {
  const timers = new Timers();
  const naive = new NaiveTimers();
  const added: Timer[] = [];
  let ran: number[] = [];
  for (const step of all) {
    if ("add" in step) {
      naive.add(added.length, step.add);
      added.push(timers.add(step.add, () => ran.push(step.add)));
    } else if ("cancel" in step) {
      const timer = added[step.cancel];
      if (timer) timers.cancel(timer);
      naive.cancel(step.cancel);
    } else {
      timers.run(step.run);
      expect(ran).toEqual(naive.run(step.run));
      ran = [];
    }
    expect(timers.nextDueMs()).toBe(naive.nextDueMs());
  }
}

describe("Timers", () => {
  it("do what a list does, whatever is added, cancelled and run", () => {
    fc.assert(fc.property(steps, follow), { numRuns: 500 });
  });

  it("run each timer once", () => {
    const timers = new Timers();
    let count = 0;
    timers.add(5, () => count++);
    timers.run(10);
    timers.run(10);
    expect(count).toBe(1);
  });

  it("leave what an action adds for the next time, even if it is due at once", () => {
    const timers = new Timers();
    const ran: string[] = [];
    timers.add(0, () => {
      ran.push("first");
      timers.add(0, () => ran.push("second"));
    });
    timers.run(1);
    expect(ran).toEqual(["first"]);
    timers.run(1);
    expect(ran).toEqual(["first", "second"]);
  });

  it("let an action cancel another that is due in the same run", () => {
    const timers = new Timers();
    const ran: string[] = [];
    timers.add(1, () => {
      ran.push("first");
      timers.cancel(second);
    });
    const second = timers.add(2, () => ran.push("second"));
    timers.run(3);
    expect(ran).toEqual(["first"]);
  });
});
