/** How fast an idle machine writes a dump to disk: the upper bound of throughput through plg. */
import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { closeDumpFile, DumpAppender, openDumpFile } from "../src/dump/store/file.ts";
import { adviseHugePages, hugePageBytes, regionIn } from "../src/sys/memory.ts";

const durationMs = 1000;

/** Writes a file for a second as plg does, in large pieces past the page cache. Returns Gb/s. */
export function measureDisk(folder: string): number {
  const file = openDumpFile(join(folder, "disk.traffic"));
  const appender = new DumpAppender(file, 0);
  try {
    const piece = filledPiece();
    const startMs = performance.now();
    const endMs = startMs + durationMs;
    while (performance.now() < endMs) appender.append(piece);
    return (appender.lengthBytes * 8) / 1e6 / (performance.now() - startMs);
  } finally {
    appender.close();
    closeDumpFile(file);
    unlinkSync(file.path);
  }
}

/** A block like the ring's, not filled with zeros, which a disk may optimize away. */
function filledPiece(): Uint8Array {
  const region = regionIn(new SharedArrayBuffer(2 * hugePageBytes), hugePageBytes, hugePageBytes);
  adviseHugePages(region);
  region.bytes.set(randomBytes(hugePageBytes));
  return region.bytes;
}
