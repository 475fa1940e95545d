// The dials to one port take turns. Each test has a port that says what it does with a SYN.
import { expect, test } from "vitest";
import { DialQueue, type QueuedDial, type QueueReactor } from "../../../src/pipe/dial-queue.ts";
import type { Task } from "../../../src/sys/reactor.ts";
import { Timers } from "../../../src/sys/timers.ts";

class Clock implements QueueReactor {
  nowMs = 0;
  readonly #timers = new Timers();
  #deferred: Task[] = [];

  after(delayMs: number, action: () => void): ReturnType<Timers["add"]> {
    return this.#timers.add(this.nowMs + delayMs, action);
  }

  cancel(timer: ReturnType<Timers["add"]>): void {
    this.#timers.cancel(timer);
  }

  defer(task: Task): void {
    this.#deferred.push(task);
  }

  /** Lets time pass in steps of a millisecond. */
  pass(timeMs: number): void {
    for (const untilMs = this.nowMs + timeMs; this.nowMs < untilMs; this.nowMs++) {
      for (const task of this.#deferred.splice(0)) task.resume();
      this.#timers.run(this.nowMs);
    }
  }
}

type Answer = "accepts" | "refuses" | "drops";

/** One port and the dials to it, by name. */
class Port {
  readonly clock = new Clock();
  readonly queue = new DialQueue(this.clock);
  /** What it does with SYNs, and with those of some clients. */
  answer: Answer = "refuses";
  readonly answers = new Map<string, Answer>();
  /** How many more connections there is room for. */
  room = Infinity;
  onDrop: ((name: string) => void) | undefined;
  readonly accepted: string[] = [];
  readonly tries: string[] = [];
  readonly rested: string[] = [];
  readonly #dials = new Map<string, QueuedDial>();

  /** A client sends its first SYN, or sends it again. */
  syn(name: string): void {
    const dial = this.#dials.get(name) ?? this.#add(name);
    this.queue.retryBefore(dial);
    if (this.queue.isFree) dial.retry();
    else this.queue.wait(dial);
  }

  #add(name: string): QueuedDial {
    const dial: QueuedDial = {
      place: this.queue.takePlace(),
      retry: () => this.#try(name, dial),
      isBacklogFull: () => this.room === 0,
      rest: () => this.rested.push(name),
    };
    this.#dials.set(name, dial);
    return dial;
  }

  #try(name: string, dial: QueuedDial): boolean {
    if (this.accepted.includes(name)) return true;
    this.tries.push(name);
    const answer = this.answers.get(name) ?? this.answer;
    if (answer === "refuses") this.queue.waitForListener(dial, false);
    else if (answer === "drops" || this.room === 0) {
      this.queue.waitForAnswer(dial, 0);
      this.onDrop?.(name);
    } else {
      this.room--;
      this.accepted.push(name);
      this.queue.accepted(dial);
      return true;
    }
    return false;
  }
}

/** Its SYNs are never answered. */
function deadDial(queue: DialQueue): QueuedDial {
  return {
    place: queue.takePlace(),
    retry: () => false,
    isBacklogFull: () => false,
    rest: () => {},
  };
}

test("those who wait for a listener are accepted in order, all as soon as it is there", () => {
  const port = new Port();
  for (const name of ["a", "b", "c"]) {
    port.syn(name);
    port.clock.pass(7);
  }
  expect(port.accepted).toEqual([]);
  expect(new Set(port.tries), "only the first is tried again").toEqual(new Set(["a"]));
  port.answer = "accepts";
  port.clock.pass(50);
  port.syn("d");
  expect(port.accepted).toEqual(["a", "b", "c", "d"]);
});

test("one that comes while others wait for a listener goes behind them", () => {
  const port = new Port();
  port.syn("a");
  port.answer = "accepts";
  port.syn("b");
  expect(port.accepted).toEqual([]);
  port.clock.pass(50);
  expect(port.accepted).toEqual(["a", "b"]);
});

test("where the backlog is full, a repeated SYN lets those before it in first", () => {
  const port = new Port();
  port.answer = "accepts";
  port.room = 1;
  for (const name of ["a", "b", "c"]) {
    port.syn(name);
    port.clock.pass(200);
  }
  expect(port.accepted).toEqual(["a"]);
  port.room = 1;
  port.syn("c");
  port.clock.pass(200);
  expect(port.accepted).toEqual(["a", "b"]);
  port.room = 1;
  port.syn("c");
  port.clock.pass(200);
  expect(port.accepted).toEqual(["a", "b", "c"]);
});

test("if there is room just after an earlier SYN was dropped, the next one does not overtake", () => {
  const port = new Port();
  port.answer = "accepts";
  port.room = 0;
  port.syn("a");
  port.clock.pass(200);
  port.syn("b");
  port.onDrop = (name) => (port.room = name === "a" ? 1 : 0);
  port.clock.pass(200);
  expect([port.accepted, port.rested]).toEqual([[], ["b"]]);
  port.syn("a");
  port.clock.pass(200);
  expect(port.accepted).toEqual(["a"]);
});

test("a client whose SYNs are dropped holds up another for a moment, and only once", () => {
  const port = new Port();
  port.answer = "accepts";
  port.answers.set("a", "drops");
  port.syn("a");
  port.syn("b");
  expect(port.accepted).toEqual([]);
  port.clock.pass(150);
  expect(port.accepted).toEqual(["b"]);
  port.syn("c");
  expect(port.accepted).toEqual(["b", "c"]);
});

test("one that is no longer wanted holds up nobody", () => {
  const port = new Port();
  port.answer = "accepts";
  port.answers.set("a", "drops");
  const removed = deadDial(port.queue);
  port.queue.waitForAnswer(removed, 0);
  port.syn("b");
  expect(port.accepted).toEqual([]);
  port.queue.remove(removed);
  port.clock.pass(2);
  expect(port.accepted).toEqual(["b"]);
});

test("over links dials do not wait for each other's answers, unless the port refused before", () => {
  const queue = new DialQueue(new Clock());
  const [first, second] = [deadDial(queue), deadDial(queue)];
  queue.waitForAnswer(first, 40);
  expect(queue.isFree).toBe(true);
  queue.waitForListener(second, false);
  queue.waitForAnswer(first, 40);
  queue.remove(second);
  expect(queue.isFree).toBe(false);
  queue.accepted(first);
  expect(queue.isFree).toBe(true);
});
