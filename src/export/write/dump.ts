/**
 * Writes an export as a dump, which is pcapng. With TLS keys in front, Wireshark can decrypt it.
 */
import type { DumpItem } from "../../dump/format/decoder.ts";
import type { StreamState } from "../../dump/format/encoder.ts";
import { RecordKind, type CommandExit, type RunInfo } from "../../dump/format/schema.ts";
import { DumpDestination } from "../../dump/store/destination.ts";
import { DirectWriter } from "../../dump/store/direct-writer.ts";
import { closeDumpFile, DumpAppender, type DumpFile } from "../../dump/store/file.ts";

/**
 * Writes items to `path`, and numbers the connections anew. Throws a {@link UsageError} if it
 * cannot write there.
 */
export function writeDumpExport(
  path: string,
  force: boolean,
  items: Iterable<DumpItem>,
  keys: Uint8Array,
): void {
  const destination = DumpDestination.claim(path, { force });
  let file: DumpFile | undefined;
  try {
    file = destination.open();
    writeItems(new DumpAppender(file, 0), items, keys);
    destination.keep();
  } catch (error) {
    destination.withdraw();
    throw error;
  } finally {
    if (file !== undefined) closeDumpFile(file);
  }
}

function writeItems(appender: DumpAppender, items: Iterable<DumpItem>, keys: Uint8Array): void {
  let writer: DirectWriter | undefined;
  let run: RunInfo | undefined;
  let endNs = 0n;
  const exits: CommandExit[] = [];
  const streams = new Map<number, StreamState>();
  for (const item of items) {
    if (item.type === "run") {
      ({ run } = item);
      endNs = run.startNs;
      writer = new DirectWriter(appender, run, keys);
    } else if (item.type === "exit") {
      exits[item.container] = item.exit;
      ({ endNs } = item);
    } else if (writer !== undefined) writeItem(writer, streams, item);
  }
  writer?.close(
    endNs,
    (run?.containers ?? []).map((_, container) => exits[container] ?? {}),
  );
  appender.close();
}

function writeItem(
  writer: DirectWriter,
  streams: Map<number, StreamState>,
  item: Exclude<DumpItem, { type: "run" | "exit" }>,
): void {
  if (item.type === "packet") {
    const { sender, receiver, packet, atNs } = item;
    writer.packet(sender, receiver, packet, 0, packet.length, atNs);
    return;
  }
  const { kind, connection, direction, payload, missingBytes, atNs } = item;
  if (kind === RecordKind.connect) {
    const { number, family, client, server } = connection;
    streams.set(number, writer.connect(family, client, server, atNs));
    return;
  }
  const stream = streams.get(connection.number);
  if (stream === undefined) return;
  if (missingBytes > 0) writer.skip(stream, direction, missingBytes);
  if (kind === RecordKind.data) writer.data(stream, direction, payload, 0, payload.length, atNs);
  else writer.event(stream, kind, direction, atNs);
  if (stream.phase === "over") streams.delete(connection.number);
}
