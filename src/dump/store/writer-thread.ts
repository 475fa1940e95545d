/** The writer thread: writes completed blocks as they come, and the trailer at the end. */
import { once } from "node:events";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type ErrorCode, MachineError } from "../../base/errors.ts";
import { allocateRegion } from "../../sys/memory.ts";
import { requestShortSlices } from "../../sys/scheduling.ts";
import { appendBlocks, writeBlocks } from "./block-writer.ts";
import type { RecordCounts } from "../format/checksums.ts";
import { DumpAppender, type DumpFile } from "./file.ts";
import { trailerBlocks } from "../format/header.ts";
import { Ring, type RingStore } from "./ring.ts";
import { type CommandExit, maxBlockBytes } from "../format/schema.ts";

/** The thread's parameters. */
export interface WriterTask {
  readonly ring: RingStore;
  readonly file: DumpFile;
  readonly writtenBytes: number;
  /** The completer's counts, in shared memory. */
  readonly counts: RecordCounts;
  readonly startNs: bigint;
}

/** The main thread's only message, before it closes the ring. */
export interface WriterEnd {
  readonly endNs: bigint;
  readonly exits: readonly CommandExit[];
}

/** The thread's only message, sent if a write fails. Its exit shows that it is done. */
export interface WriterReport {
  readonly message: string;
  readonly code: ErrorCode;
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
    // If another thread failed, blocks are missing: the dump then ends as after a kill.
    if (!ring.failed) appendBlocks(appender, trailer, allocateRegion(maxBlockBytes));
  } catch (error) {
    ring.fail();
    if (!(error instanceof MachineError)) throw error;
    const report: WriterReport = { message: error.message, code: error.code };
    main.postMessage(report);
    await end;
  }
  ring.writtenBytes = appender.lengthBytes;
  appender.close();
}
