/** The writer thread: sleeps until blocks are handed over, writes them, and in the end the trailer. */
import { parentPort, workerData } from "node:worker_threads";
import { allocateRegion } from "../sys/memory.ts";
import { appendBlocks, BlockWriter } from "./block-writer.ts";
import { DumpAppender, type DumpFile } from "./file.ts";
import { trailerBlocks } from "./header.ts";
import { Ring, type RingStore } from "./ring.ts";
import { type CommandExit, maxBlockBytes } from "./schema.ts";

/** What the thread is started with. */
export interface WriterTask {
  readonly ring: RingStore;
  readonly file: DumpFile;
  readonly writtenBytes: number;
  readonly containers: number;
  readonly startNs: bigint;
}

/** What the main thread says in the end, before it closes the ring. */
export interface WriterEnd {
  readonly endNs: bigint;
  readonly exits: readonly CommandExit[];
}

/** What the thread says if a write fails, and nothing else: that it is done shows in its end. */
export interface WriterReport {
  readonly message: string;
}

const port = parentPort;
if (port !== null) run(workerData as WriterTask, (report) => port.postMessage(report));

function run(task: WriterTask, report: (report: WriterReport) => void): void {
  const ring = new Ring(task.ring);
  const appender = new DumpAppender(task.file, task.writtenBytes);
  const counts = new Float64Array(task.containers);
  const writer = new BlockWriter(ring, appender, counts);
  const attempt = (work: () => void): void => {
    try {
      if (!ring.failed) work();
    } catch (error) {
      ring.fail();
      report({ message: (error as Error).message });
    }
  };
  attempt(() => writeUntilClosed(ring, writer));
  parentPort?.once("message", (end: WriterEnd) => {
    attempt(() => {
      const blocks = trailerBlocks({ ...end, startNs: task.startNs, records: counts });
      appendBlocks(appender, blocks, allocateRegion(maxBlockBytes));
    });
    ring.writtenBytes = appender.lengthBytes;
    appender.close();
  });
}

/** The thread's life. It blocks the thread's event loop, which has nothing to do until the ring is closed. */
function writeUntilClosed(ring: Ring, writer: BlockWriter): void {
  for (;;) {
    const bell = ring.bell;
    const closing = ring.closing;
    writer.drain();
    if (closing) return;
    ring.sleep(bell);
  }
}
