/**
 * Completes the records of a block just before it is written: fills in the two checksums of each
 * record, which the engine thread has no time for, and counts the records.
 */
import { assert } from "../../base/assert.ts";
import { crc32Range } from "./crc32.ts";
import type { RecordMemory } from "./encoder.ts";
import { RecordAt, recordHeaderBytes, recordTailBytes, TailAt } from "./schema.ts";
import type { SumRange } from "./vector-sum.ts";

/** The number of records that each container has sent, for `isb_ifrecv`. */
export type RecordCounts = Float64Array;

/** The checksum in our option: over the block's header and the option's bytes before the sum. */
export function recordCheck(bytes: Uint8Array, at: number, tail: number): number {
  const header = crc32Range(bytes, at, at + recordHeaderBytes);
  return crc32Range(bytes, tail + TailAt.version, tail + TailAt.check, header);
}

/**
 * Fills in the checksums of the records in `[from..to)`, a range of whole records, and counts them.
 * `sum` expects offsets in `memory`.
 */
export function completeRecords(
  memory: RecordMemory,
  from: number,
  to: number,
  counts: RecordCounts,
  sum: SumRange,
): void {
  const { bytes, view } = memory;
  for (let at = from; at < to;) {
    const totalBytes = view.getUint32(at + RecordAt.totalLength, true);
    assert(totalBytes >= recordHeaderBytes + recordTailBytes, "a ring block holds whole records");
    const tail = at + totalBytes - recordTailBytes;
    view.setUint32(tail + TailAt.dataSum, sum(at + recordHeaderBytes, tail), true);
    view.setUint32(tail + TailAt.check, recordCheck(bytes, at, tail), true);
    const container = view.getUint32(at + RecordAt.interface, true);
    counts[container] = (counts[container] as number) + 1;
    at += totalBytes;
  }
}
