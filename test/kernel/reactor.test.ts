import { describe, expect, test } from "vitest";
import type { Fd } from "../../src/base/units.ts";
import { EPOLLIN } from "../../src/sys/abi.ts";
import { Reactor } from "../../src/sys/reactor.ts";
import { acknowledge, closeWakeup, createWakeup, signal } from "../../src/sys/wakeup.ts";
import { needs } from "../programs/machine.ts";

/** Runs until `stop` is called, or fails: a test must not hang. */
function runFor(reactor: Reactor, milliseconds = 2000): void {
  let late = false;
  const limit = reactor.after(milliseconds, () => {
    late = true;
    reactor.stop();
  });
  reactor.run();
  reactor.cancel(limit);
  expect(late, "the reactor was stopped in time").toBe(false);
}

/** Wake-ups, closed at the end of the test. */
function withWakeups(count: number, body: (wakeups: Fd[]) => void): void {
  const wakeups = Array.from({ length: count }, () => createWakeup());
  try {
    body(wakeups);
  } finally {
    for (const wakeup of wakeups) closeWakeup(wakeup);
  }
}

describe("events", () => {
  needs();

  test("a watcher is told once of an edge, and again of the next", () => {
    withWakeups(1, ([wakeup = 0 as Fd]) => {
      const reactor = new Reactor();
      let inputs = 0;
      reactor.watch(wakeup, {
        onReady: (events) => {
          if ((events & EPOLLIN) === 0) return;
          inputs++;
          // Not acknowledged: an edge-triggered watch does not repeat itself.
          if (inputs === 1) reactor.after(20, () => signal(wakeup));
          else reactor.after(20, () => reactor.stop());
        },
      });
      signal(wakeup);
      runFor(reactor);
      expect(inputs).toBe(2);
    });
  });

  test("a level-triggered watch repeats itself until there is nothing left", () => {
    withWakeups(1, ([wakeup = 0 as Fd]) => {
      const reactor = new Reactor();
      let inputs = 0;
      reactor.watchLevel(wakeup, {
        onReady: () => {
          inputs++;
          if (inputs < 3) return;
          acknowledge(wakeup);
          reactor.after(20, () => reactor.stop());
        },
      });
      signal(wakeup);
      runFor(reactor);
      expect(inputs).toBe(3);
    });
  });

  test("after unwatch nothing is told, and the descriptor can be watched again", () => {
    withWakeups(1, ([wakeup = 0 as Fd]) => {
      const reactor = new Reactor();
      const told: string[] = [];
      reactor.watchLevel(wakeup, { onReady: () => told.push("first") });
      reactor.unwatch(wakeup);
      signal(wakeup);
      reactor.after(20, () => {
        reactor.watchLevel(wakeup, {
          onReady: () => {
            told.push("second");
            reactor.stop();
          },
        });
      });
      runFor(reactor);
      expect(told).toEqual(["second"]);
    });
  });
});

describe("a descriptor's number", () => {
  needs();

  test("when it is given to another, an event of the old one in the same batch is not told", () => {
    const [one, two] = [createWakeup(), createWakeup()];
    const reactor = new Reactor();
    let first: Fd | undefined;
    let replacement: Fd | undefined;
    let strayInputs = 0;
    /**
     * Whichever comes first closes the other, whose event is in the same batch, and takes its
     * number.
     */
    const replaceOther = (own: Fd, other: Fd) => (): void => {
      if (first !== undefined) throw new Error("the other's event was told though it was closed");
      first = own;
      reactor.forget(other);
      closeWakeup(other);
      replacement = createWakeup();
      reactor.watch(replacement, {
        onReady: (events) => {
          if ((events & EPOLLIN) !== 0) strayInputs++;
        },
      });
      reactor.after(20, () => reactor.stop());
    };
    reactor.watch(one, { onReady: replaceOther(one, two) });
    reactor.watch(two, { onReady: replaceOther(two, one) });
    signal(one);
    signal(two);
    runFor(reactor);
    expect(replacement).toBe(first === one ? two : one);
    expect(strayInputs).toBe(0);
    for (const fd of [one, two]) closeWakeup(fd);
  });
});

describe("timers and tasks", () => {
  needs();

  test("timers come in their order, not before their time, and the loop sleeps until then", () => {
    const reactor = new Reactor();
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    const came: string[] = [];
    reactor.after(150, () => {
      came.push("third");
      reactor.stop();
    });
    reactor.after(50, () => came.push("first"));
    reactor.after(100, () => came.push("second"));
    reactor.cancel(reactor.after(75, () => came.push("cancelled")));
    runFor(reactor);
    expect(came).toEqual(["first", "second", "third"]);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(150);
    const { user, system } = process.cpuUsage(cpuBefore);
    expect((user + system) / 1000, "it did not spin").toBeLessThan(100);
  });

  test("a task that defers itself is resumed once a round, and events get their turn", () => {
    withWakeups(1, ([wakeup = 0 as Fd]) => {
      const reactor = new Reactor();
      const rounds: number[] = [];
      const task = {
        resume(): void {
          rounds.push(reactor.round);
          if (rounds.length === 5) signal(wakeup);
          reactor.defer(this);
        },
      };
      reactor.watchLevel(wakeup, { onReady: () => reactor.stop() });
      reactor.defer(task);
      runFor(reactor);
      expect(new Set(rounds).size).toBe(rounds.length);
      expect(rounds.length).toBeLessThan(8);
    });
  });

  test("what waits for an idle moment is done before it sleeps, or after a few busy rounds", () => {
    for (const isBusy of [false, true]) {
      const reactor = new Reactor();
      const busy = { resume: () => reactor.defer(busy) };
      if (isBusy) reactor.defer(busy);
      let doneInRound: number | undefined;
      reactor.whenIdle({ resume: () => (doneInRound = reactor.round) });
      reactor.after(20, () => reactor.stop());
      runFor(reactor);
      expect(doneInRound).toBe(isBusy ? 8 : 0);
      expect(reactor.round).toBeGreaterThan(isBusy ? 8 : 0);
    }
  });
});

describe("a reactor that was stopped", () => {
  needs();

  test("calls nobody, because what they would use may be closed", () => {
    const reactor = new Reactor();
    const called: string[] = [];
    reactor.defer({ resume: () => reactor.stop() });
    reactor.defer({ resume: () => called.push("deferred") });
    reactor.after(0, () => called.push("timer"));
    runFor(reactor);
    expect(called).toEqual([]);
  });
});
