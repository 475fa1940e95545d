/** `plg show --connection N`: prints the events and bytes of one connection. */
import { existsSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { plural } from "../../base/text.ts";
import { type Phase, phaseAfter } from "../../dump/format/lifecycle.ts";
import { readDump } from "../../dump/store/reader.ts";
import type { RunInfo } from "../../dump/format/schema.ts";
import { type Notation, renderEvent, renderParties } from "../../report/conversation.ts";
import { describeKeys, keysPathOf } from "../../report/tls-keys.ts";
import { write } from "../launch/standard-streams.ts";

/**
 * Prints the connection while reading, at the speed of standard output's reader. Stops at the end
 * of the connection, or when the reader is gone.
 */
export async function showConnection(
  path: string,
  number: number,
  notation: Notation,
): Promise<void> {
  let run: RunInfo | undefined;
  let phase: Phase | undefined;
  let connections = 0;
  for (const item of readDump(path)) {
    if (item.type === "run") run = item.run;
    if (item.type !== "stream") continue;
    connections = Math.max(connections, item.connection.number);
    if (item.connection.number !== number || run === undefined) continue;
    const opening = phase === undefined ? `${renderParties(run, item)}\n` : "";
    const isTaken = await write(`${opening}${renderEvent(run, item, notation)}`);
    phase = phase === undefined ? "connecting" : phaseAfter(phase, item.kind, item.direction);
    if (!isTaken) return;
    if (phase === "over") return tellKeys(path);
  }
  if (phase !== undefined) return tellKeys(path);
  throw new UsageError(
    `there is no connection ${number} in ${path}, which has ${plural(connections, "connection")}`,
  );
}

/** Mentions the run's TLS keys, if there are any. */
function tellKeys(path: string): void {
  const keys = keysPathOf(path);
  if (!existsSync(keys)) return;
  process.stderr.write(`plg: ${printable(describeKeys(path, keys))}\n`);
}
