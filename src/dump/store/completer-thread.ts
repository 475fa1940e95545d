/** The completer thread: sleeps until blocks are handed over, and completes them. */
import { workerData } from "node:worker_threads";
import { requestShortSlices } from "../../sys/scheduling.ts";
import { completeBlocks } from "./block-completer.ts";
import type { RecordCounts } from "../format/checksums.ts";
import { Ring, type RingStore } from "./ring.ts";

/** The thread's parameters. */
export interface CompleterTask {
  readonly ring: RingStore;
  /** One element per container, in shared memory. */
  readonly counts: RecordCounts;
}

const { ring, counts } = workerData as CompleterTask;
requestShortSlices();
completeBlocks(new Ring(ring), counts);
