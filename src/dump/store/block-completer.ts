/**
 * The completer thread's work, without the thread: prepares the blocks that the engine has filled
 * for writing. It has its own thread so that neither the checksums nor the disk wait for the other.
 */
import { completeRecords, type RecordCounts } from "../format/checksums.ts";
import { padToUnit } from "../format/pcapng.ts";
import type { Ring } from "./ring.ts";
import { writeUnitBytes } from "../format/schema.ts";
import { sumIn } from "../format/vector-sum.ts";

/**
 * Completes blocks until the ring is closed. `counts` has an element per container, which it
 * increments.
 */
export function completeBlocks(ring: Ring, counts: RecordCounts): void {
  const sum = sumIn(ring.memory, ring.region.bytes.byteOffset);
  for (;;) {
    const block = ring.nextToComplete();
    if (block === undefined) return ring.completeAll();
    const start = ring.startOf(block);
    const end = start + ring.lengthOf(block);
    completeRecords(ring.region, start, end, counts, sum);
    ring.complete(padToUnit(ring.region, start, end, writeUnitBytes) - start);
  }
}
