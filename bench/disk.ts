/** How fast the disk takes a dump when nothing else goes on: what throughput through plg can be at most. */
import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { closeDumpFile, DumpAppender, openDumpFile } from "../src/dump/store/file.ts";
import { adviseHugePages, hugePageBytes, regionIn } from "../src/sys/memory.ts";

const durationMs = 1000;

/** Writes a file in `folder` for a second, as plg's writer does: in large pieces, past the page cache. In Gb/s. */
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

/** One of the ring's blocks, as it were, and not of zeros: a disk may know better than to write them. */
function filledPiece(): Uint8Array {
  const region = regionIn(new SharedArrayBuffer(2 * hugePageBytes), hugePageBytes, hugePageBytes);
  adviseHugePages(region);
  region.bytes.set(randomBytes(hugePageBytes));
  return region.bytes;
}
