/** The main thread's side of the dump: starts its threads, notices their failure, ends the file. */
import { Worker } from "node:worker_threads";
import { allOrNothingNow } from "../../base/undo-stack.ts";
import { MachineError } from "../../base/errors.ts";
import { allocateRegion } from "../../sys/memory.ts";
import type { CompleterTask } from "./completer-thread.ts";
import { appendBlocks } from "./block-writer.ts";
import { closeDumpFile, DumpAppender, type DumpFile } from "./file.ts";
import { headerBlocks } from "../format/header.ts";
import { createRing, Ring } from "./ring.ts";
import { maxBlockBytes, type RunInfo } from "../format/schema.ts";
import type { SinkStore } from "./sink.ts";
import type { WriterEnd, WriterReport, WriterTask } from "./writer-thread.ts";

/** A dump that is being written. */
export interface DumpWriter {
  /** The parameters of `new DumpSink`, for the engine thread. */
  readonly sinkStore: SinkStore;
  /** How much of the file is written. */
  readonly writtenBytes: number;
  /**
   * Resolves if the file cannot be written any more: with a {@link MachineError}, for instance of a
   * full disk, or with a thread's bug. The run should end then. Never settles otherwise.
   */
  readonly failed: Promise<Error>;
  /**
   * Writes everything the sink has handed over (`DumpSink.seal` comes first), then the trailer, and
   * closes the file. Resolves also after a failure, with what had been written before it.
   */
  close(end: WriterEnd): Promise<{ readonly writtenBytes: number }>;
  /** Closes the file as it is, without a trailer: a recording that came to nothing. */
  abort(): Promise<void>;
}

/**
 * Writes the header and starts the threads. Throws a {@link MachineError} if not even the header
 * can be written. Owns `file` from here on.
 */
export function startWriter(file: DumpFile, run: RunInfo): DumpWriter {
  return allOrNothingNow((undos) => {
    undos.push(() => closeDumpFile(file));
    process.on("SIGXFSZ", noteNothing);
    undos.push(() => process.off("SIGXFSZ", noteNothing));
    const writtenBytes = writeHeader(file, run);
    const ring = createRing();
    const control = new Ring(ring);
    control.writtenBytes = writtenBytes;
    const counts = new Float64Array(new SharedArrayBuffer(8 * run.containers.length));
    const completer = startThread<CompleterTask>("./completer-thread.js", { ring, counts });
    undos.push(() => {
      control.fail();
      control.close();
    });
    const { startNs } = run;
    const task: WriterTask = { ring, file, writtenBytes, counts, startNs };
    const writer = startThread<WriterTask>("./writer-thread.js", task);
    return new ThreadedWriter(completer, writer, control, file, { ring, startNs });
  });
}

/** Returns the number of bytes written. */
function writeHeader(file: DumpFile, run: RunInfo): number {
  const appender = new DumpAppender(file, 0);
  try {
    appendBlocks(appender, headerBlocks(run), allocateRegion(maxBlockBytes));
    return appender.lengthBytes;
  } finally {
    appender.close();
  }
}

function ended(thread: Worker): Promise<unknown> {
  return new Promise((resolve) => thread.once("exit", resolve));
}

function startThread<Task>(name: string, workerData: Task): Worker {
  return new Worker(new URL(name, import.meta.url), { workerData });
}

/**
 * A write beyond the file size limit (`ulimit -f`) kills a process that does not handle the signal.
 * If it does, the write fails with EFBIG (setrlimit(2)), as it does beyond the file system's own
 * limit.
 */
function noteNothing(): void {}

class ThreadedWriter implements DumpWriter {
  readonly sinkStore: SinkStore;
  readonly failed: Promise<Error>;
  readonly #writer: Worker;
  readonly #ring: Ring;
  readonly #file: DumpFile;
  readonly #ended: Promise<unknown>;

  constructor(completer: Worker, writer: Worker, ring: Ring, file: DumpFile, sinkStore: SinkStore) {
    this.sinkStore = sinkStore;
    this.#writer = writer;
    this.#ring = ring;
    this.#file = file;
    const threads = [completer, writer];
    this.#ended = Promise.all(threads.map(ended));
    this.failed = new Promise((resolve) => {
      writer.on("message", ({ message, code }: WriterReport) =>
        resolve(new MachineError(message, { code })),
      );
      for (const thread of threads) {
        thread.once("error", (error) => {
          ring.fail();
          resolve(error);
        });
      }
    });
  }

  get writtenBytes(): number {
    return this.#ring.writtenBytes;
  }

  async close(end: WriterEnd): Promise<{ readonly writtenBytes: number }> {
    this.#writer.postMessage(end);
    this.#ring.close();
    await this.#ended;
    closeDumpFile(this.#file);
    process.off("SIGXFSZ", noteNothing);
    return { writtenBytes: this.#ring.writtenBytes };
  }

  async abort(): Promise<void> {
    this.#ring.fail();
    await this.close({ endNs: 0n, exits: [] });
  }
}
