/** The writer thread: sleeps until there are completed blocks, writes them, and in the end the trailer. */
import { once } from "node:events";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { MachineError } from "../../base/errors.ts";
import { allocateRegion } from "../../sys/memory.ts";
import { requestShortSlices } from "../../sys/scheduling.ts";
import { appendBlocks, writeBlocks } from "./block-writer.ts";
import type { RecordCounts } from "../format/checksums.ts";
import { DumpAppender, type DumpFile } from "./file.ts";
import { trailerBlocks } from "../format/header.ts";
import { Ring, type RingStore } from "./ring.ts";
import { type CommandExit, maxBlockBytes } from "../format/schema.ts";

/** What the thread is started with. */
export interface WriterTask {
  readonly ring: RingStore;
  readonly file: DumpFile;
  readonly writtenBytes: number;
  /** What the completer counts, in shared memory. */
  readonly counts: RecordCounts;
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
if (port !== null) await run(port, workerData as WriterTask);

async function run(main: MessagePort, task: WriterTask): Promise<void> {
  const end = once(main, "message") as Promise<[WriterEnd]>;
  const ring = new Ring(task.ring);
  const appender = new DumpAppender(task.file, task.writtenBytes);
  requestShortSlices();
  try {
    writeBlocks(ring, appender);
    const [{ endNs, exits }] = await end;
    const trailer = trailerBlocks({ startNs: task.startNs, endNs, exits, records: task.counts });
    // Failed elsewhere, blocks are missing: the dump then ends as after a kill.
    if (!ring.failed) appendBlocks(appender, trailer, allocateRegion(maxBlockBytes));
  } catch (error) {
    ring.fail();
    if (!(error instanceof MachineError)) throw error;
    const report: WriterReport = { message: error.message };
    main.postMessage(report);
    await end;
  }
  ring.writtenBytes = appender.lengthBytes;
  appender.close();
}
