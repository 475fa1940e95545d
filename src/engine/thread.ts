/**
 * What every engine thread has: its place in the pipe space, the reactor, the subnets, and the line to the
 * main thread. The thread never returns to Node's own loop while it works, so messages are fetched when
 * the wake-up is signalled.
 */
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import { assert } from "../base/assert.ts";
import { Subnet } from "../net/subnet.ts";
import type { LinkSetup } from "../switch/core/link-plan.ts";
import type { Switch } from "../switch/switch.ts";
import { enterForever } from "../sys/namespace.ts";
import { Reactor } from "../sys/reactor.ts";
import { acknowledge } from "../sys/wakeup.ts";
import { Counter, type EngineNotice, type EngineOrder, type EngineTask } from "./task.ts";

export class EngineThread {
  readonly reactor: Reactor;
  readonly subnets: readonly Subnet[];
  readonly counters: Float64Array;
  readonly #startMs: number;
  readonly #links: LinkSetup | undefined;

  constructor(
    task: EngineTask,
    on: {
      /** The wake-up was signalled, by the main thread or by the dump's writer. */
      readonly wake: () => void;
      readonly finish: () => void;
      /** The process of this container has ended. */
      readonly gone?: (container: number) => void;
    },
  ) {
    enterForever(task.pipeNamespace);
    this.reactor = new Reactor();
    this.subnets = task.subnets.map((text) => Subnet.parse(text));
    this.counters = new Float64Array(task.counters);
    this.#links = task.links;
    // This thread's performance.now() has its own origin; the run's start is told by the common clock.
    const sinceStartMs = Number(process.hrtime.bigint() - task.startHrNs) / 1e6;
    this.#startMs = performance.now() - sinceStartMs;
    this.reactor.watch(task.wakeup, {
      onReady: () => {
        acknowledge(task.wakeup);
        for (let order = nextOrder(); order; order = nextOrder()) {
          if (order.type === "finish") on.finish();
          else on.gone?.(order.container);
        }
        on.wake();
      },
    });
  }

  /** Nanoseconds since the run's start, of the events in hand. */
  get atNs(): number {
    return Math.max(0, Math.round((this.reactor.nowMs - this.#startMs) * 1e6));
  }

  /** What a switch is told of the run's links. */
  get links(): { readonly setup: LinkSetup; readonly startMs: number } | undefined {
    return this.#links && { setup: this.#links, startMs: this.#startMs };
  }

  /** Adds to one of the counters that the main thread reads. */
  count(counter: number, change: number): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + change;
  }

  /** Notes what the switch did not deliver, when it is done. */
  noteDrops({ drops, linkCounts }: Switch): void {
    this.count(Counter.malformed, drops.malformed);
    this.count(Counter.foreign, drops.foreign);
    this.count(Counter.refused, drops.refused);
    this.count(Counter.sentOverLinks, linkCounts?.sent ?? 0);
    this.count(Counter.lostOnLinks, linkCounts?.lost ?? 0);
  }

  warn(text: string): void {
    this.#notify({ type: "warning", text });
  }

  /** Works until the engine is done, then says so. */
  run(): void {
    this.#notify({ type: "ready" });
    this.reactor.run();
  }

  /** Ends the thread's work. */
  done(result?: unknown): void {
    this.reactor.stop();
    this.#notify({ type: "done", result });
  }

  #notify(notice: EngineNotice): void {
    assert(parentPort, "the engine runs in a thread of its own");
    parentPort.postMessage(notice);
  }
}

function nextOrder(): EngineOrder | undefined {
  assert(parentPort, "the engine runs in a thread of its own");
  return receiveMessageOnPort(parentPort)?.message as EngineOrder | undefined;
}
