/**
 * The common part of all engine threads: the pipe space, the reactor, the subnets, and the messages
 * of the main thread. The thread does not return to Node's event loop while it works, so it fetches
 * messages when the wake-up is signaled.
 */
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import type { ContainerIndex } from "../base/ids.ts";
import { assert } from "../base/assert.ts";
import { parseNetwork } from "../net/host-list.ts";
import type { Subnet } from "../net/subnet.ts";
import type { LinkSetup } from "../switch/core/link-plan.ts";
import type { Switch } from "../switch/switch.ts";
import { enterForever } from "../sys/namespace.ts";
import { Reactor } from "../sys/reactor.ts";
import { StarvingThreads } from "../sys/threads.ts";
import { acknowledge } from "../sys/wakeup.ts";
import { Counter, type EngineNotice, type EngineOrder, type EngineTask } from "./task.ts";

/** Carries out the main thread's orders. */
export interface OrderHandler {
  /** The main thread or the dump's writer has signaled the wake-up. */
  onWakeup(): void;
  onFinish(): void;
  /** This container has no process left. */
  onGone(container: ContainerIndex): void;
  /** This container is ready for connections. */
  onReady(container: ContainerIndex): void;
}

export class EngineThread {
  readonly reactor: Reactor;
  readonly subnets: readonly Subnet[];
  readonly counters: Float64Array;
  readonly #startMs: number;
  readonly #links: LinkSetup | undefined;
  readonly #task: EngineTask;

  constructor(task: EngineTask) {
    enterForever(task.pipeNamespace);
    this.reactor = new Reactor();
    this.subnets = task.subnets.map(parseNetwork);
    this.counters = new Float64Array(task.counters);
    this.#links = task.links;
    this.#task = task;
    // Each thread's performance.now() has its own origin, so the run's start comes from a common
    // clock.
    const sinceStartMs = Number(process.hrtime.bigint() - task.startHrNs) / 1e6;
    this.#startMs = performance.now() - sinceStartMs;
  }

  /** The time of the current events, in nanoseconds since the run's start. */
  get atNs(): number {
    return Math.max(0, Math.round((this.reactor.nowMs - this.#startMs) * 1e6));
  }

  /** The switch's view of the run's links. */
  get links(): { readonly setup: LinkSetup; readonly startMs: number } | undefined {
    return this.#links && { setup: this.#links, startMs: this.#startMs };
  }

  /**
   * Watches for threads of this container that are ready to run, and may not: see {@link
   * StarvingThreads}.
   */
  watchThreads(container: ContainerIndex): StarvingThreads {
    const { namespaces, procPath } = this.#task;
    const network = namespaces[container];
    assert(network, "the container exists");
    return new StarvingThreads(procPath, network);
  }

  /** Adds to one of the counters that the main thread reads. */
  count(counter: number, change: number): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + change;
  }

  /** Notes the switch's undelivered packets, when it is done. */
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

  /** Runs the loop until the engine is {@link done}. */
  run(handler: OrderHandler): void {
    const { wakeup } = this.#task;
    this.reactor.watch(wakeup, {
      onReady: () => {
        acknowledge(wakeup);
        for (let order = nextOrder(); order; order = nextOrder()) carryOut(order, handler);
        handler.onWakeup();
      },
    });
    this.#notify({ type: "ready" });
    this.reactor.run();
  }

  /** Ends the loop. */
  done(result?: unknown): void {
    this.reactor.stop();
    this.#notify({ type: "done", result });
  }

  #notify(notice: EngineNotice): void {
    assert(parentPort, "the engine runs in a thread of its own");
    parentPort.postMessage(notice);
  }
}

function carryOut(order: EngineOrder, handler: OrderHandler): void {
  if (order.type === "finish") handler.onFinish();
  else if (order.type === "gone") handler.onGone(order.container);
  else handler.onReady(order.container);
}

function nextOrder(): EngineOrder | undefined {
  assert(parentPort, "the engine runs in a thread of its own");
  return receiveMessageOnPort(parentPort)?.message as EngineOrder | undefined;
}
