/**
 * `net-playground/dump`: reads dumps. It imports nothing from Node, so it runs in browsers.
 *
 * @example
 * const dump = await openDump(file); // a File that the user has chosen
 * for await (const message of dump.messages()) console.log(message.from, message.text);
 */
import { Dump, type DumpBytes } from "./dump.ts";

export { DumpError, type ErrorCode, PlgError } from "../../base/errors.ts";
export {
  Dump,
  type DumpBytes,
  type DumpConnection,
  type DumpContainer,
  type DumpMessage,
  type DumpState,
  type MessageChoice,
} from "./dump.ts";

/**
 * Opens a dump that is in memory, in a `Blob` or `File`, or comes in pieces.
 *
 * @param name Stands for the dump in errors.
 * @throws {DumpError} If the bytes are no dump, or a damaged one.
 */
export function openDump(bytes: DumpBytes, name?: string): Promise<Dump> {
  return Dump.open(bytes, name);
}
