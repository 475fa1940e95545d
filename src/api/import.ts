/** Imports captures, for programs. */
import { statSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import type { ImportProgress } from "../capture/import/capture-source.ts";
import { importCaptures } from "../capture/import/import.ts";
import type { ImportResult } from "../capture/track/result.ts";
import { toolVersion } from "./version.ts";

/** The options of {@link importCapture}. */
export interface ImportOptions {
  /** The path of the dump to write. A recording that is there moves to `PATH.previous`. */
  readonly file: string;
  /** Names for the containers of addresses: `{ "10.1.2.3": "db" }`. */
  readonly names?: Readonly<Record<string, string>> | undefined;
  /** Also replace a file that is not a recording. @default false */
  readonly force?: boolean | undefined;
  /** Called now and then while the captures are read, which happens twice. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

/**
 * Turns captures of tcpdump or Wireshark into one dump. Every address becomes a container. What is
 * missing in the captures is listed in the result's `findings`.
 *
 * @param captures Paths of pcap or pcapng files, compressed by gzip or not; `-` is standard input.
 * @throws {PlgError} With the code `capture-unreadable` if a file is no capture, or one of those
 *   that begin with `dump-` if the dump cannot be written.
 * @example
 * await importCapture(["app.pcap", "db.pcap"], { file: "orders.traffic" });
 */
export function importCapture(
  captures: string | readonly string[],
  { file, names = {}, force = false, onProgress }: ImportOptions,
): Promise<ImportResult> {
  const paths = typeof captures === "string" ? [captures] : captures;
  for (const path of paths) refuseSameFile(path, file);
  return importCaptures({
    captures: paths,
    output: file,
    names: new Map(Object.entries(names)),
    force,
    toolVersion: toolVersion(),
    onProgress: onProgress ?? (() => {}),
  });
}

/** Refuses to overwrite a capture. Captures are read a second time after the dump is opened. */
function refuseSameFile(capture: string, output: string): void {
  const [from, to] = [capture, output].map((file) => statSync(file, { throwIfNoEntry: false }));
  if (from === undefined || from.dev !== to?.dev || from.ino !== to.ino) return;
  throw new UsageError(`${output} is the capture itself: name another file`);
}
