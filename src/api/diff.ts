/** Compares recordings, for programs. */
import { diffRecordings, type RecordingDiff } from "../diff/diff.ts";
import type { DiffSide } from "../diff/pairing.ts";
import { equalBytes } from "../recording/load/equal-bytes.ts";
import { PayloadFile } from "../recording/load/payload-file.ts";
import { readRecording } from "../recording/load/read-recording.ts";
import type { Mask } from "../replay/compare/masks.ts";
import { parseMask } from "../replay/compare/parse-mask.ts";

/** The options of {@link diff}. */
export interface DiffOptions {
  /** What may differ: masks as for `plg diff --ignore`, `"app:80/^Date: .*$/m"`. @default none */
  readonly ignore?: readonly string[] | undefined;
  /** Called now and then with the bytes of `file` that were read. */
  readonly onRead?: ((file: string, readBytes: number) => void) | undefined;
}

/**
 * Compares two dumps, connection by connection. Connections are matched by the names of their
 * containers and the server's port. Memory grows with the number of events, not with their bytes.
 *
 * @throws {PlgError} With the code `dump-unreadable` or `dump-damaged`.
 * @example
 * const { differences, onlyFirst, onlySecond } = await diff("main.traffic", "branch.traffic");
 */
export async function diff(
  first: string,
  second: string,
  { ignore = [], onRead }: DiffOptions = {},
): Promise<RecordingDiff> {
  const files: PayloadFile[] = [];
  const open = async (path: string): Promise<DiffSide> => {
    const { index } = await readRecording(path, (readBytes) => onRead?.(path, readBytes));
    const file = new PayloadFile(path);
    files.push(file);
    return { index, read: readerOf(file) };
  };
  try {
    const sides = [await open(first), await open(second)] as const;
    const names = sides[0].index.run.containers.map(({ name }) => name);
    const masks: readonly Mask[] = ignore.map((text) => parseMask(text, names));
    return diffRecordings(sides[0], sides[1], masks, equalBytes);
  } finally {
    for (const file of files) file.close();
  }
}

/** Reads payloads. The bytes of a read are valid until the next read. */
function readerOf(file: PayloadFile): DiffSide["read"] {
  const { bytes } = PayloadFile.room();
  return (position, lengthBytes) => {
    file.readInto(bytes, 0, position, lengthBytes);
    return bytes.subarray(0, lengthBytes);
  };
}
