/**
 * A capture's name and the file that holds it. A pipe is copied to a file first, because an import
 * reads captures several times.
 */
import { closeSync, createReadStream, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { PlgError, UsageError } from "../../base/errors.ts";
import { describeErrno } from "../../dump/store/file.ts";

/** An argument that stands for standard input. */
const standardInput = "-";
const fileMode = 0o600;

/** How far an import has got. */
export interface ImportProgress {
  /** The number of bytes read in the current pass. */
  readonly readBytes: number;
  /** Whether it copies a pipe, which may last as long as the capture does. */
  readonly isCopying: boolean;
}

export interface CaptureSource {
  /** As messages call it. */
  readonly name: string;
  /** The file to read, as often as wanted. */
  readonly path: string;
  /** Frees the copy. */
  close(): void;
}

/**
 * Opens captures, named by their paths; `-` is standard input. Copies of pipes have no name and lie
 * in the folder of `output`. Throws a {@link PlgError} if a pipe cannot be read, and a
 * {@link UsageError} if there is no room for it.
 */
export async function openSources(
  captures: readonly string[],
  output: string,
  onProgress: (progress: ImportProgress) => void = () => {},
): Promise<CaptureSource[]> {
  if (captures.filter((capture) => capture === standardInput).length > 1)
    throw new UsageError("standard input (-) can be imported once only");
  const sources: CaptureSource[] = [];
  try {
    for (const capture of captures) sources.push(await openSource(capture, output, onProgress));
    return sources;
  } catch (error) {
    for (const source of sources) source.close();
    throw error;
  }
}

async function openSource(
  capture: string,
  output: string,
  onProgress: (progress: ImportProgress) => void,
): Promise<CaptureSource> {
  const isInput = capture === standardInput;
  const path = isInput ? "/dev/stdin" : capture;
  const file = statSync(path, { throwIfNoEntry: false });
  const name = isInput ? "standard input" : capture;
  // Reading reports a folder or an absent file.
  const isPipe = file?.isFIFO() === true || file?.isSocket() === true;
  if (!isPipe && file?.isCharacterDevice() !== true) return { name, path, close: () => {} };
  if (isInput && process.stdin.isTTY)
    throw new UsageError("standard input is a terminal: pipe a capture into it");
  const fd = unnamedFile(join(dirname(output), `.plg-import-${process.pid}`));
  try {
    await copy({ name, path: isInput ? undefined : path }, fd, onProgress);
    return { name, path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Creates a file and removes its name, so that it vanishes with this process. */
function unnamedFile(path: string): number {
  try {
    const fd = openSync(path, "wx+", fileMode);
    unlinkSync(path);
    return fd;
  } catch (error) {
    const { code, words } = describeErrno(error);
    throw new UsageError(`cannot write ${path}: ${words} (${code})`);
  }
}

/** Copies a pipe; `path` is undefined for standard input. */
async function copy(
  { name, path }: { readonly name: string; readonly path: string | undefined },
  fd: number,
  onProgress: (progress: ImportProgress) => void,
): Promise<void> {
  const input = path === undefined ? process.stdin : createReadStream(path);
  let readBytes = 0;
  try {
    onProgress({ readBytes, isCopying: true });
    for await (const chunk of input) {
      writeAll(fd, chunk as Uint8Array, name);
      readBytes += (chunk as Uint8Array).length;
      onProgress({ readBytes, isCopying: true });
    }
    onProgress({ readBytes, isCopying: false });
  } catch (error) {
    if (error instanceof PlgError) throw error;
    const { code, words } = describeErrno(error);
    throw new PlgError(`cannot read the capture ${name}: ${words} (${code})`, {
      code: "capture-unreadable",
    });
  }
}

function writeAll(fd: number, bytes: Uint8Array, name: string): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  } catch (error) {
    const { code, words } = describeErrno(error);
    throw new UsageError(`cannot keep ${name} in a file beside the dump: ${words} (${code})`);
  }
}
