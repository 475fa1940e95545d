/**
 * The completer thread: sleeps until blocks are handed over, and completes them. Before the first comes it has the
 * ring's memory made, as the engine would otherwise wait for it, some 3 ms at the first touch of each block.
 */
import { workerData } from "node:worker_threads";
import { populate } from "../sys/memory.ts";
import { requestShortTurns } from "../sys/scheduling.ts";
import { completeBlocks } from "./block-completer.ts";
import type { RecordCounts } from "./checksums.ts";
import { Ring, type RingStore } from "./ring.ts";

/** What the thread is started with. */
export interface CompleterTask {
  readonly ring: RingStore;
  /** An element for each container, in shared memory. */
  readonly counts: RecordCounts;
}

const { ring: store, counts } = workerData as CompleterTask;
const ring = new Ring(store);
populate(ring.region);
requestShortTurns();
completeBlocks(ring, counts);
