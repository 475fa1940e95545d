/**
 * Writes an export for other programs: a line for each event, as JSON or CSV, or a file for each
 * stream.
 */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ContainerIndex } from "../../base/ids.ts";
import type { DumpItem, StreamItem } from "../../dump/format/decoder.ts";
import type { RunInfo } from "../../dump/format/schema.ts";
import { kindWords } from "../../report/events.ts";
import { fileMode, LineFile, naming, writeAll } from "./line-file.ts";

/** Recordings may hold secrets, so only their owner may read them. */
const folderMode = 0o700;

/** A line of an export, with the columns that analytics engines group by. */
type Row = Readonly<Record<string, string | number>>;

/** The columns in order. JSON also holds the bytes, in Base64; CSV holds only their number. */
const columns = [
  "time",
  "kind",
  "connection",
  "from",
  "fromPort",
  "to",
  "toPort",
  "offset",
  "lengthBytes",
] as const;

export function writeJsonLines(path: string, items: Iterable<DumpItem>): void {
  writeLines(path, items, (row, bytes) =>
    JSON.stringify(bytes.length === 0 ? row : { ...row, bytes: base64(bytes) }),
  );
}

export function writeCsv(path: string, items: Iterable<DumpItem>): void {
  writeLines(path, items, (row) => columns.map((column) => cellOf(row[column] ?? "")).join(","), [
    columns.join(","),
  ]);
}

/**
 * Writes each direction of each connection to its own file in `folder`. Returns the number of
 * files.
 */
export function writeStreams(folder: string, items: Iterable<DumpItem>): number {
  let run: RunInfo | undefined;
  const paths = new Set<string>();
  naming(folder, () => mkdirSync(folder, { recursive: true, mode: folderMode }));
  for (const item of items) {
    if (item.type === "run") ({ run } = item);
    if (item.type !== "stream" || item.payload.length === 0 || run === undefined) continue;
    const path = join(folder, streamName(run, item));
    const flags = paths.has(path) ? "a" : "w";
    paths.add(path);
    naming(path, () => {
      const fd = openSync(path, flags, fileMode);
      writeAll(fd, item.payload);
      closeSync(fd);
    });
  }
  return paths.size;
}

function streamName(run: RunInfo, { connection, direction }: StreamItem): string {
  const nameOf = (container: ContainerIndex): string =>
    run.containers[container]?.name ?? "unknown";
  const { number, client, server } = connection;
  const way = direction === 0 ? "to-server" : "to-client";
  return `${number}-${nameOf(client.container)}-${client.port}-${nameOf(server.container)}-${server.port}-${way}`;
}

function writeLines(
  path: string,
  items: Iterable<DumpItem>,
  lineOf: (row: Row, bytes: Uint8Array) => string,
  heading: readonly string[] = [],
): void {
  const file = new LineFile(path);
  let run: RunInfo | undefined;
  try {
    for (const line of heading) file.add(line);
    for (const item of items) {
      if (item.type === "run") ({ run } = item);
      if (item.type === "run" || item.type === "exit" || run === undefined) continue;
      file.add(lineOf(rowOf(run, item), bytesOf(item)));
    }
    file.finish();
  } finally {
    file.close();
  }
}

function bytesOf(item: Exclude<DumpItem, { type: "run" | "exit" }>): Uint8Array {
  return item.type === "packet" ? item.packet : item.payload;
}

function rowOf(run: RunInfo, item: Exclude<DumpItem, { type: "run" | "exit" }>): Row {
  const nameOf = (container: ContainerIndex): string =>
    run.containers[container]?.name ?? "everyone";
  const time = (Number(run.startNs / 1000n) / 1e6 + item.atNs / 1e9).toFixed(6);
  if (item.type === "packet")
    return {
      time,
      kind: "packet",
      from: nameOf(item.sender),
      to: nameOf(item.receiver),
      lengthBytes: item.packet.length,
    };
  const { connection, direction, kind, streamOffset, payload } = item;
  const { client, server } = connection;
  const [from, to] = direction === 0 ? [client, server] : [server, client];
  return {
    time,
    kind: kindWords[kind],
    connection: connection.number,
    from: nameOf(from.container),
    fromPort: from.port,
    to: nameOf(to.container),
    toPort: to.port,
    offset: streamOffset,
    lengthBytes: payload.length,
  };
}

function cellOf(value: string | number): string {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
