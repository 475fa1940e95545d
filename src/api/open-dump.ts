/** Opens dumps that are files. */
import { createReadStream } from "node:fs";
import { PlgError } from "../base/errors.ts";
import { describeErrno } from "../dump/store/file.ts";
import { Dump } from "./dump/dump.ts";

/**
 * Opens the dump at `path`. Its iterations read the file.
 *
 * @throws {PlgError} With the code `dump-unreadable` or `dump-damaged`.
 * @example
 * const dump = await openDump("orders.traffic");
 * for await (const { client, server, serverPort } of dump.connections())
 *   console.log(`${client} -> ${server}:${serverPort}`);
 */
export function openDump(path: string): Promise<Dump> {
  return Dump.open(() => piecesOf(path), path);
}

async function* piecesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    for await (const piece of pieces) yield piece as Uint8Array;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const { code, words } = describeErrno(error);
    throw new PlgError(`cannot read the dump ${path}: ${words} (${code})`, {
      code: "dump-unreadable",
    });
  }
}
