/** Reads a dump and shows the progress: a gigabyte takes about two seconds. */
import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { formatBytes } from "../../base/text.ts";
import { readDump } from "../../dump/store/reader.ts";
import { type DumpSummary, SummaryFold } from "../../report/summary.ts";
import { type Completeness, completenessOf } from "./incomplete.ts";
import type { Terminal } from "./terminal.ts";

/** Without a status line, a longer read is announced once, after this time. */
const tellAfterMs = 1000;

/** The bytes to read before the status line gets a turn. */
const turnBytes = 32 << 20;

/** The summary of a dump, and whether the dump is complete. */
export interface ShownSummary extends DumpSummary {
  readonly completeness: Completeness;
}

/** Reads a dump and summarizes it. */
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

/**
 * Runs `read`, which reports the bytes that it has read, with a status line if there is a terminal.
 */
export async function withProgress<T>(
  path: string,
  terminal: Terminal,
  read: (onRead: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  // `read` reports a missing file.
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
