/** Reading a dump before its replay: some two seconds a gigabyte, in which the user is told what goes on. */
import { statSync } from "node:fs";
import { formatBytes } from "../base/text.ts";
import { readRecording, type Recording } from "../replay/session.ts";
import type { Terminal } from "./terminal.ts";

/** Where there is no status line, what takes longer is told once. */
const tellAfterMs = 1000;

/** Reads the dump, with a status line where there is one. */
export async function readShown(path: string, terminal: Terminal): Promise<Recording> {
  const startedMs = performance.now();
  const sizeBytes = statSync(path).size;
  let done = 0;
  let isTold = false;
  const isShown = terminal.startStatus(
    () => `reading ${path}: ${Math.floor((100 * done) / sizeBytes)} % of ${formatBytes(sizeBytes)}`,
  );
  try {
    return await readRecording(path, (readBytes) => {
      done = readBytes;
      if (isShown || isTold || performance.now() - startedMs < tellAfterMs) return;
      isTold = true;
      terminal.info(`reading ${path} (${formatBytes(sizeBytes)})`);
    });
  } finally {
    terminal.stopStatus();
  }
}
