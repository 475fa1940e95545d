/** Reading a dump: some two seconds a gigabyte, in which the user is told what goes on. */
import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { formatBytes } from "../../base/text.ts";
import { readDump } from "../../dump/store/reader.ts";
import { type DumpSummary, SummaryFold } from "../../report/summary.ts";
import { type Completeness, completenessOf } from "./incomplete.ts";
import type { Terminal } from "./terminal.ts";

/** Where there is no status line, what takes longer is told once. */
const tellAfterMs = 1000;

/** What is read before the status line gets its turn. */
const turnBytes = 32 << 20;

/** A dump summed up, and whether it is whole. */
export interface ShownSummary extends DumpSummary {
  readonly completeness: Completeness;
}

/** Reads the dump and sums it up. */
export function summarizeShown(path: string, terminal: Terminal): Promise<ShownSummary> {
  const readSinceMs = Date.now();
  return withProgress(path, terminal, async (onRead) => {
    const items = readDump(path);
    const fold = new SummaryFold();
    let toldBytes = 0;
    for (;;) {
      const next = items.next();
      if (next.done) {
        const completeness = await completenessOf(path, next.value, readSinceMs);
        return { ...fold.summary(next.value), completeness };
      }
      fold.add(next.value);
      const readBytes = "position" in next.value ? next.value.position : 0;
      if (readBytes - toldBytes < turnBytes) continue;
      toldBytes = readBytes;
      onRead(readBytes);
      await setImmediate();
    }
  });
}

/** Does what reads the dump, which tells how many bytes it has read, with a status line where there is one. */
export async function withProgress<T>(
  path: string,
  terminal: Terminal,
  read: (onRead: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  // What is not there is told by who reads it.
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let done = 0;
  let isTold = false;
  // A pipe has no size.
  const isShown = terminal.startStatus(() =>
    sizeBytes > 0
      ? `reading ${path}: ${Math.floor((100 * done) / sizeBytes)} % of ${formatBytes(sizeBytes)}`
      : `reading ${path}: ${formatBytes(done)}`,
  );
  try {
    return await read((readBytes) => {
      done = readBytes;
      if (isShown || isTold || performance.now() - startedMs < tellAfterMs) return;
      isTold = true;
      terminal.info(`reading ${path}${sizeBytes > 0 ? ` (${formatBytes(sizeBytes)})` : ""}`);
    });
  } finally {
    terminal.stopStatus();
  }
}
