/** The main thread's side of an engine thread. */
import { Worker } from "node:worker_threads";
import type { ContainerIndex } from "../base/ids.ts";
import { signal } from "../sys/wakeup.ts";
import { Counter, type EngineNotice, type EngineOrder, type EngineTask } from "./task.ts";

/** A copy of the engine's counters. */
export interface EngineCounts {
  readonly connections: number;
  readonly openConnections: number;
  readonly bytes: number;
  /** Packets other than TCP. */
  readonly packets: number;
  /** Packets sent over links, and lost there. Known when the engine is done. */
  readonly links: { readonly sent: number; readonly lost: number };
  /** Undelivered packets, by reason. Known when the engine is done. */
  readonly dropped: {
    readonly malformed: number;
    readonly foreign: number;
    readonly refused: number;
    readonly unrecorded: number;
  };
}

export class EngineHost {
  /** Rejects when the engine dies, which is a bug. Never resolves. */
  readonly failed: Promise<never>;
  readonly #worker: Worker;
  readonly #task: EngineTask;
  readonly #counters: Float64Array;
  readonly #ready: Promise<void>;
  readonly #done: Promise<unknown>;

  /** Starts the thread whose compiled module is `url`. */
  constructor(url: URL, task: EngineTask, onWarning: (text: string) => void) {
    this.#task = task;
    this.#counters = new Float64Array(task.counters);
    this.#worker = new Worker(url, { workerData: task });
    this.failed = new Promise((_, reject) => this.#worker.once("error", reject));
    // Callers race with this promise later; until then its rejection must not count as unhandled.
    this.failed.catch(() => {});
    this.#ready = this.#notice("ready").then(() => {});
    this.#done = this.#notice("done");
    this.#worker.on("message", (notice: EngineNotice) => {
      if (notice.type === "warning") onWarning(notice.text);
    });
  }

  /** Settles when the engine is ready to move packets. */
  ready(): Promise<void> {
    return Promise.race([this.#ready, this.failed]);
  }

  /** Settles with the engine's result when it ends, by itself or after {@link finish}. */
  done(): Promise<unknown> {
    return Promise.race([this.#done, this.failed]);
  }

  /** Lets the engine finish its work and end. */
  finish(): Promise<unknown> {
    this.#order({ type: "finish" });
    return this.done();
  }

  /** Notifies the engine that this container has no process left. */
  noteGone(container: ContainerIndex): void {
    this.#order({ type: "gone", container });
  }

  /** Notifies the engine that this container is ready for connections. */
  noteReady(container: ContainerIndex): void {
    this.#order({ type: "ready", container });
  }

  counts(): EngineCounts {
    const at = (counter: number): number => this.#counters[counter] ?? 0;
    return {
      connections: at(Counter.connections),
      openConnections: at(Counter.open),
      bytes: at(Counter.bytes),
      packets: at(Counter.packets),
      links: { sent: at(Counter.sentOverLinks), lost: at(Counter.lostOnLinks) },
      dropped: {
        malformed: at(Counter.malformed),
        foreign: at(Counter.foreign),
        refused: at(Counter.refused),
        unrecorded: at(Counter.unrecorded),
      },
    };
  }

  #order(order: EngineOrder): void {
    this.#worker.postMessage(order);
    signal(this.#task.wakeup);
  }

  #notice(type: EngineNotice["type"]): Promise<unknown> {
    return new Promise((resolve) => {
      this.#worker.on("message", (notice: EngineNotice) => {
        if (notice.type === type) resolve("result" in notice ? notice.result : undefined);
      });
    });
  }
}
