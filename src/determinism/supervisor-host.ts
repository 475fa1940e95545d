/** The main thread's handle on the supervisor. */
import { Worker } from "node:worker_threads";
import { allOrNothingNow } from "../base/undo-stack.ts";
import type { Fd } from "../base/units.ts";
import { closeWakeup, createWakeup, signal } from "../sys/wakeup.ts";
import type { Gap } from "./core/gaps.ts";
import type { SupervisorOrder, SupervisorTask } from "./supervisor-task.ts";

/** The thread keeps little from one call to the next, so its young generation can stay small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 } as const;

export class SupervisorHost {
  readonly #worker: Worker;
  readonly #wakeup: Fd;
  readonly #ended: Promise<void>;
  readonly #gaps: Gap[] = [];
  #hasTask = false;
  /** Rejects if the thread dies, which is a bug. Never resolves. */
  readonly failed: Promise<never>;

  /** Starts the thread, which takes a moment. {@link supervise} gives it its task. */
  constructor() {
    const url = new URL("./supervisor-thread.js", import.meta.url);
    const { worker, wakeup } = allOrNothingNow((undos) => {
      const made = createWakeup();
      undos.push(() => closeWakeup(made));
      return { wakeup: made, worker: new Worker(url, { resourceLimits }) };
    });
    this.#worker = worker;
    this.#wakeup = wakeup;
    this.failed = new Promise((_, reject) => this.#worker.once("error", reject));
    this.failed.catch(() => {});
    this.#worker.on("message", (gap: Gap) => this.#gaps.push(gap));
    this.#ended = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
  }

  /** Reasons found so far why random bytes may differ from those of another run. */
  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** Makes the thread answer from now on. Call it once. */
  supervise(task: Omit<SupervisorTask, "wakeup">): void {
    this.#hasTask = true;
    this.#post({ ...task, wakeup: this.#wakeup });
  }

  /**
   * Ends the thread. No process that depends on its answers may remain. The listener stays open.
   *
   * The thread ends by itself: `terminate` while it loads koffi would abort the process, because
   * N-API cannot throw then.
   */
  async close(): Promise<void> {
    if (this.#hasTask) signal(this.#wakeup);
    else this.#post("end");
    await this.#ended;
    closeWakeup(this.#wakeup);
  }

  #post(order: SupervisorOrder): void {
    this.#worker.postMessage(order);
  }
}
