/** The main thread's handle on the thread that starts the commands. */
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { allOrNothingNow } from "../../base/undo-stack.ts";
import type { Fd } from "../../base/units.ts";
import { closeDescriptor, createPipe, type Pipe } from "../../sys/descriptors.ts";
import type {
  SpawnerNotice,
  SpawnerTask,
  SpawnFailure,
  SpawnOrder,
  SpawnRequest,
} from "./spawner-task.ts";

/** How a program ended: its exit code or signal, or why it did not start. */
export type ProgramEnd =
  | { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly failure: SpawnFailure };

/** A program that was started, or that failed to start. */
export interface Program {
  /** The PID in plg's own PID namespace; 0 if there is no process. */
  readonly pid: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly ended: Promise<ProgramEnd>;
}

interface Pending {
  onStart(pid: number): void;
  onRefusal(error: NodeJS.ErrnoException): void;
  onEnd(end: ProgramEnd): void;
}

export class Spawner {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #orders = 0;
  #onFault: (error: Error) => void = () => {};
  /** Receives the filter's notifications, if there is a filter. */
  readonly listener: Fd | undefined;
  /** Why there is no filter, if one was requested. */
  readonly refusal: string | undefined;
  /** Rejects if the thread dies, which is a bug. Never resolves. */
  readonly failed: Promise<never>;

  private constructor(
    worker: Worker,
    { listener, refusal }: { readonly listener?: Fd; readonly refusal?: string },
  ) {
    this.#worker = worker;
    this.listener = listener;
    this.refusal = refusal;
    this.failed = new Promise((_, reject) => {
      this.#onFault = reject;
    });
    this.failed.catch(() => {});
    this.#ended = new Promise((resolve) => worker.once("exit", () => resolve()));
    worker.on("error", (error) => {
      this.#onFault(error);
      this.#refuseAll(error);
    });
    worker.on("message", (notice: SpawnerNotice) => this.#hear(notice));
  }

  /**
   * Starts the thread. Its children run under `filter`, if one is given and the kernel allows it.
   */
  static async start(filter: Uint8Array | undefined): Promise<Spawner> {
    const task: SpawnerTask = { filter };
    const worker = new Worker(new URL("./spawner-thread.js", import.meta.url), {
      workerData: task,
    });
    return new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (notice: SpawnerNotice) => {
        worker.off("error", reject);
        if (notice.type === "ready") resolve(new Spawner(worker, notice));
      });
    });
  }

  /**
   * Starts a program in a session of its own, without input. If the file cannot be executed, this
   * still resolves, and the program's end gives the reason. Rejects if the kernel creates no
   * process.
   */
  async spawn(request: SpawnRequest): Promise<Program> {
    const id = this.#orders++;
    const [stdout, stderr] = createPipes();
    const order: SpawnOrder = { ...request, id, stdout: stdout.writeEnd, stderr: stderr.writeEnd };
    const streams = { stdout: readerOf(stdout.readEnd), stderr: readerOf(stderr.readEnd) };
    const closeWriteEnds = (): void =>
      [stdout, stderr].forEach(({ writeEnd }) => closeDescriptor(writeEnd));
    return new Promise((resolve, reject) => {
      let isStarted = false;
      let onEnd: (end: ProgramEnd) => void;
      const ended = new Promise<ProgramEnd>((settle) => {
        onEnd = settle;
      });
      this.#pending.set(id, {
        onStart: (pid) => {
          isStarted = true;
          closeWriteEnds();
          resolve({ pid, ...streams, ended });
        },
        onRefusal: (error) => {
          if (isStarted) return;
          this.#pending.delete(id);
          closeWriteEnds();
          for (const stream of Object.values(streams)) stream.destroy();
          reject(error);
        },
        onEnd: (end) => {
          this.#pending.delete(id);
          onEnd(end);
        },
      });
      this.#worker.postMessage(order);
    });
  }

  /** Ends the thread. The programs that it started keep running. */
  async close(): Promise<void> {
    // The thread ends by itself, between two orders: `terminate` would leave open the descriptors
    // of the namespaces that it is about to return to.
    this.#worker.postMessage("end");
    await this.#ended;
    this.#refuseAll(new Error("the thread that starts commands has ended"));
    if (this.listener !== undefined) closeDescriptor(this.listener);
  }

  /** Programs that have not started will not start any more. */
  #refuseAll(error: Error): void {
    for (const pending of this.#pending.values()) pending.onRefusal(error);
  }

  #hear(notice: SpawnerNotice): void {
    if (notice.type === "ready") return;
    const pending = this.#pending.get(notice.id);
    switch (notice.type) {
      case "started":
        return pending?.onStart(notice.pid);
      case "failed":
        pending?.onStart(0);
        return pending?.onEnd({ failure: notice.failure });
      case "refused":
        return pending?.onRefusal(Object.assign(new Error(notice.failure.message), notice.failure));
      case "ended":
        return pending?.onEnd(notice);
    }
  }
}

/** The pipes for a program's output and error output. */
function createPipes(): readonly [Pipe, Pipe] {
  return allOrNothingNow((undos) => {
    const stdout = createPipe();
    undos.push(() => [stdout.readEnd, stdout.writeEnd].forEach((end) => closeDescriptor(end)));
    return [stdout, createPipe()];
  });
}

function readerOf(fd: Fd): Socket {
  return new Socket({ fd, readable: true, writable: false });
}
