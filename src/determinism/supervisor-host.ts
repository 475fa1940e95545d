/** The main thread's side of the supervisor. */
import { Worker } from "node:worker_threads";
import { closeWakeup, createWakeup, signal } from "../sys/wakeup.ts";
import type { SupervisorTask } from "./supervisor-task.ts";

/** It leaves little behind from one call to the next, which need not pile up. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 } as const;

export class SupervisorHost {
  readonly #worker: Worker;
  readonly #wakeup = createWakeup();
  readonly #ended: Promise<void>;
  /** Rejects when the thread dies, which is a bug. Never resolves. */
  readonly failed: Promise<never>;

  constructor(task: Omit<SupervisorTask, "wakeup">) {
    const workerData: SupervisorTask = { ...task, wakeup: this.#wakeup };
    const url = new URL("./supervisor-thread.js", import.meta.url);
    this.#worker = new Worker(url, { workerData, resourceLimits });
    this.failed = new Promise((_, reject) => this.#worker.once("error", reject));
    this.failed.catch(() => {});
    this.#ended = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
  }

  /** Ends the thread. No process may be left that it answers. The listener stays open. */
  async close(): Promise<void> {
    signal(this.#wakeup);
    await this.#ended;
    closeWakeup(this.#wakeup);
  }
}
