/** The main thread's side of the dump: starts the writer thread, hears of its failure, ends the file. */
import { Worker } from "node:worker_threads";
import { MachineError } from "../base/errors.ts";
import { allocateRegion } from "../sys/memory.ts";
import { appendBlocks } from "./block-writer.ts";
import { closeDumpFile, DumpAppender, type DumpFile } from "./file.ts";
import { headerBlocks } from "./header.ts";
import { createRing, Ring } from "./ring.ts";
import { maxBlockBytes, type RunInfo } from "./schema.ts";
import type { SinkStore } from "./sink.ts";
import type { WriterEnd, WriterReport, WriterTask } from "./writer-thread.ts";

/** A recording that is being written. */
export interface DumpWriter {
  /** For the engine's thread: what `new DumpSink` takes. */
  readonly sinkStore: SinkStore;
  /** How much of the file is written. */
  readonly writtenBytes: number;
  /**
   * Never settles while all goes well. Resolves once the file cannot be written any more: with a
   * {@link MachineError}, such as of a full disk, or with a bug of the thread. The run should end then.
   */
  readonly failed: Promise<Error>;
  /**
   * Writes everything the sink has handed over (`DumpSink.seal` comes first), then the trailer, and closes
   * the file. Resolves also after a failure, with what had been written before it.
   */
  close(end: WriterEnd): Promise<{ readonly writtenBytes: number }>;
}

/**
 * Writes the header and starts the writer thread. Rejects with a {@link MachineError} if not even the header
 * can be written. Owns `file` from here on.
 */
export async function startWriter(file: DumpFile, run: RunInfo): Promise<DumpWriter> {
  process.on("SIGXFSZ", noteNothing);
  const appender = new DumpAppender(file, 0);
  try {
    await appendBlocks(appender, headerBlocks(run), allocateRegion(maxBlockBytes));
  } catch (error) {
    closeDumpFile(file);
    process.off("SIGXFSZ", noteNothing);
    throw error;
  } finally {
    appender.close();
  }
  const ring = createRing();
  new Ring(ring).writtenBytes = appender.lengthBytes;
  const task: WriterTask = {
    ring,
    file,
    writtenBytes: appender.lengthBytes,
    containers: run.containers.length,
    startNs: run.startNs,
  };
  const worker = new Worker(new URL("./writer-thread.js", import.meta.url), { workerData: task });
  return new ThreadedWriter(worker, new Ring(ring), file, { ring, startNs: run.startNs });
}

/**
 * A write beyond the limit of file sizes (`ulimit -f`) ends the process, unless it listens to the signal; then
 * the write fails with EFBIG (setrlimit(2)), as it does beyond the file system's own.
 */
function noteNothing(): void {}

class ThreadedWriter implements DumpWriter {
  readonly sinkStore: SinkStore;
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #ring: Ring;
  readonly #file: DumpFile;
  readonly #ended: Promise<void>;

  constructor(worker: Worker, ring: Ring, file: DumpFile, sinkStore: SinkStore) {
    this.sinkStore = sinkStore;
    this.#worker = worker;
    this.#ring = ring;
    this.#file = file;
    this.#ended = new Promise((resolve) => worker.once("exit", () => resolve()));
    this.failed = new Promise((resolve) => {
      worker.on("message", (report: WriterReport) => resolve(new MachineError(report.message)));
      worker.once("error", (error) => {
        ring.fail();
        resolve(error);
      });
    });
  }

  get writtenBytes(): number {
    return this.#ring.writtenBytes;
  }

  async close(end: WriterEnd): Promise<{ readonly writtenBytes: number }> {
    this.#worker.postMessage(end);
    this.#ring.close();
    await this.#ended;
    closeDumpFile(this.#file);
    process.off("SIGXFSZ", noteNothing);
    return { writtenBytes: this.#ring.writtenBytes };
  }
}
