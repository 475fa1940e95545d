/** Reads a dump from a file: the decoder, fed. */
import { closeSync, openSync, readSync } from "node:fs";
import { PlgError } from "../../base/errors.ts";
import { DumpDecoder, type DumpEnd, type DumpItem, type RunItem } from "../format/decoder.ts";
import { BlockReader } from "../format/framing.ts";
import { isOurSection } from "../format/metadata.ts";
import { BlockType } from "../format/pcapng.ts";
import { describeErrno } from "./file.ts";
import { maxBlockBytes } from "../format/schema.ts";

/**
 * Yields what the dump at `path` says, and returns how it ended. An item's bytes are good until the
 * next item is asked for. Throws a {@link PlgError} for a file that cannot be opened or read, a
 * DumpError for one that cannot be understood.
 */
export function* readDump(path: string): Generator<DumpItem, DumpEnd, undefined> {
  const decoder = new DumpDecoder({ name: path });
  const chunk = new Uint8Array(maxBlockBytes);
  const fd = openForReading(path);
  try {
    for (;;) {
      const length = readChunk(path, fd, chunk);
      if (length === 0) return decoder.end();
      decoder.push(chunk.subarray(0, length));
      for (let item = decoder.next(); item !== undefined; item = decoder.next()) yield item;
    }
  } finally {
    closeSync(fd);
  }
}

/** Whether the file begins like a recording of plg, of whatever version, damaged later or not. */
export function isDump(path: string): boolean {
  const blocks = new BlockReader(path);
  const front = new Uint8Array(maxBlockBytes);
  const fd = openForReading(path);
  try {
    blocks.push(front.subarray(0, readSync(fd, front)));
    const first = blocks.next();
    return first?.type === BlockType.sectionHeader && isOurSection(first);
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

/** Only who ran what: reads no further than the header. */
export function readRun(path: string): RunItem["run"] {
  const items = readDump(path);
  // The first item is the run, or there is an error.
  const first = items.next().value as RunItem;
  items.return({ complete: false, tornAt: undefined });
  return first.run;
}

/** Throws a {@link PlgError} that names the dump. */
export function openForReading(path: string): number {
  return attempt(path, () => openSync(path, "r"));
}

/** Reads the file's next bytes into `chunk`. Returns their number, 0 at the end of the file. */
export function readChunk(path: string, fd: number, chunk: Uint8Array): number {
  return attempt(path, () => readSync(fd, chunk, 0, chunk.length, null));
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, words } = describeErrno(error);
    throw new PlgError(`cannot read the dump ${path}: ${words} (${code})`, {
      cause: error,
      code: "dump-unreadable",
    });
  }
}
