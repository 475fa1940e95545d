/**
 * All that reads a dump, as one function of its bytes, and what must hold whatever they are: it is
 * a recording, or a DumpError that says where; what is shown of it gives a terminal no orders; and
 * a replay of it comes to its end, even if no process does anything.
 */
import { Direction } from "../../src/base/direction.ts";
import { DumpError } from "../../src/base/errors.ts";
import { printableJson } from "../../src/base/printable.ts";
import {
  DumpDecoder,
  type DumpEnd,
  type DumpItem,
  type RunItem,
} from "../../src/dump/format/decoder.ts";
import { diffRecordings } from "../../src/diff/diff.ts";
import { ExportFilter } from "../../src/export/events.ts";
import { HttpCollector } from "../../src/export/har.ts";
import { comparisonFor } from "../../src/replay/compare/comparison.ts";
import type { Difference } from "../../src/replay/findings/differences.ts";
import { Progress } from "../../src/replay/progress/progress.ts";
import { RecordedStream } from "../../src/recording/recorded-stream.ts";
import { RecordingBuilder } from "../../src/recording/recording-builder.ts";
import { RecordingIndex } from "../../src/recording/recording.ts";
import { type Order, Schedule, type ScheduleOptions } from "../../src/replay/schedule/schedule.ts";
import { recordedTopology } from "../../src/replay/topology.ts";
import { renderConnections } from "../../src/report/connection-table.ts";
import { renderRun, summarize } from "../../src/report/summary.ts";
import { asHex, asLine } from "../../src/report/bytes.ts";
import { packetLabel } from "../../src/report/events.ts";
import { Selection } from "../../src/report/selection.ts";
import { Timeline, type TimelineLine } from "../../src/report/timeline.ts";
import { layoutFor, renderTimelineLine } from "../../src/report/timeline-text.ts";
import { labelOf } from "../../src/viewer/labels.ts";

/** What became of the bytes: the same sentence for what is the same to a reader. */
export type Outcome = string;

/** Throws if anything does not hold. */
export function readAll(bytes: Uint8Array): Outcome {
  try {
    const summary = summarize(items(bytes));
    expectHarmless(`${renderRun(summary)}${renderConnections(summary)}`);
    expectHarmless(printableJson({ ...summary, run: { ...summary.run, startNs: "" } }));
    const { connections, packets, end } = summary;
    const index = indexOf(bytes);
    readStreams(index, bytes);
    expectHarmless(timelineOf(bytes));
    compareWithItself(index, bytes);
    describeEvents(index, bytes);
    diffWithItself(index, bytes);
    exportAll(index, bytes);
    recordedTopology({ path: "", store: undefined as never, index, exits: [], end }, []);
    for (const order of ["process", "connection", "global"] satisfies Order[]) replay(index, order);
    const sizes = [connections.length, packets, index.eventCount].map(
      (size) => 32 - Math.clz32(size),
    );
    return `${sizes.join(" ")} ${end.complete} ${end.tornAt === undefined}`;
  } catch (error) {
    if (!(error instanceof DumpError)) throw error;
    if (!(error.position >= 0 && error.position <= bytes.length))
      throw new Error(`an offset outside of the file: ${error.message}`, { cause: error });
    return error.message.replaceAll(/\d+|0x[0-9a-f]+/g, "N");
  }
}

/** In pieces, so that blocks lie across their borders. */
function* items(bytes: Uint8Array): Generator<DumpItem, DumpEnd, undefined> {
  const decoder = new DumpDecoder({ name: "f" });
  const pieceBytes = 1 + (bytes.length % 5000);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    decoder.push(bytes.subarray(at, at + pieceBytes));
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) yield item;
  }
  return decoder.end();
}

function indexOf(bytes: Uint8Array): RecordingIndex {
  const builder = new RecordingBuilder();
  for (const item of items(bytes)) builder.add(item);
  return new RecordingIndex(builder.finish());
}

/** Every byte of every stream is where the index says, and nowhere else. */
function readStreams(index: RecordingIndex, bytes: Uint8Array): void {
  const read = (position: number, lengthBytes: number): Uint8Array => {
    if (!(position >= 0 && lengthBytes > 0 && position + lengthBytes <= bytes.length))
      throw new Error(`the index leads out of the file: ${lengthBytes} bytes at ${position}`);
    return bytes.subarray(position, position + lengthBytes);
  };
  for (let number = 1; number <= index.connections.count; number++)
    for (const direction of [Direction.toServer, Direction.toClient]) {
      const stream = new RecordedStream(index, read, number, direction);
      for (let offset = 0; offset < stream.lengthBytes;) {
        const lengthBytes = stream.piece(offset, 1 << 16).length || stream.missingBytes(offset);
        if (lengthBytes === 0) throw new Error(`a stream of connection ${number} is not whole`);
        offset += lengthBytes;
      }
    }
}

/** All messages, decoded where a protocol is recognized. */
function timelineOf(bytes: Uint8Array): string {
  const recorded = items(bytes);
  const { run } = recorded.next().value as RunItem;
  const timeline = new Timeline(run, new Selection([], []));
  const lines: TimelineLine[] = [];
  let event = 0;
  for (const item of recorded)
    if (item.type === "stream" || item.type === "packet")
      lines.push(...timeline.add(item, event++));
  const layout = layoutFor(run, 80);
  return [...lines, ...timeline.finish()]
    .map((line) => renderTimelineLine(line, layout))
    .join("\n");
}

function refuse({ kind }: Difference): void {
  throw new Error(`a stream differs from itself: ${kind}`);
}

/** An imported recording may lack more bytes than anybody can send. */
function hasGaps(stream: RecordedStream): boolean {
  for (let offset = 0; offset < stream.lengthBytes;) {
    const { length } = stream.piece(offset, 1 << 16);
    if (length === 0) return true;
    offset += length;
  }
  return false;
}

/** A process that sends what was recorded differs in nothing, and gets to the end. */
function compareWithItself(index: RecordingIndex, bytes: Uint8Array): void {
  const read = (position: number, lengthBytes: number): Uint8Array =>
    bytes.subarray(position, position + lengthBytes);
  const parts = {
    index,
    read,
    report: refuse,
    masks: [],
    isCut: () => false,
    deliveredBytes: () => Infinity,
  };
  for (let number = 1; number <= index.connections.count; number++)
    for (const direction of [Direction.toServer, Direction.toClient]) {
      const comparison = comparisonFor(parts, number, direction);
      const stream = new RecordedStream(index, read, number, direction);
      if (hasGaps(stream)) continue;
      for (let offset = 0; offset < stream.lengthBytes;) {
        const piece = stream.piece(offset, 1000);
        comparison.push(piece, 0, piece.length);
        offset += piece.length;
      }
      if (comparison.position !== stream.lengthBytes)
        throw new Error(`a stream of ${stream.lengthBytes} bytes ends at ${comparison.position}`);
      comparison.finish();
    }
}

/** Two recordings that are one have every connection in common. */
function diffWithItself(index: RecordingIndex, bytes: Uint8Array): void {
  const read = (position: number, lengthBytes: number): Uint8Array =>
    bytes.subarray(position, position + lengthBytes);
  const side = { index, read };
  const { onlyFirst, onlySecond, compared } = diffRecordings(side, side, []);
  if (onlyFirst.length + onlySecond.length > 0 || compared !== index.connections.count)
    throw new Error("a recording has other connections than itself");
}

/** All of it, redacted, and the HTTP requests in it. */
function exportAll(index: RecordingIndex, bytes: Uint8Array): void {
  const read = (position: number, lengthBytes: number): Uint8Array =>
    bytes.subarray(position, position + lengthBytes);
  const filter = new ExportFilter(index, read, {
    selection: new Selection([], []),
    redactions: [/[a-e]\w+/g],
  });
  const collector = new HttpCollector();
  let requests = 0;
  for (const item of filter.items(items(bytes))) requests += collector.add(item).length;
  requests += collector.finish().length;
  const { connections } = filter.counts;
  if (connections !== index.connections.count) throw new Error("an export of all is not whole");
  if (requests > bytes.length) throw new Error(`${requests} requests in ${bytes.length} bytes`);
}

/** What the viewer's page says of each event, and of its first bytes. */
function describeEvents(index: RecordingIndex, bytes: Uint8Array): void {
  for (let event = 0; event < index.eventCount; event++) {
    const at = index.payloadPosition(event);
    const payload = bytes.subarray(at, at + index.lengthBytes(event));
    const beginning = payload.subarray(0, 160);
    const said = [labelOf(index, event), packetLabel(payload), asLine(beginning)];
    expectHarmless(said.join(" "));
    expectHarmless(asHex(beginning, index.streamOffset(event)));
  }
}

/** Control characters but for line ends, and those that turn the direction of writing. */
const orders = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

function expectHarmless(text: string): void {
  const found = orders.exec(text);
  if (found) throw new Error(`a terminal would be told ${JSON.stringify(found[0])}`);
}

/** To processes that do nothing at all. */
function replay(index: RecordingIndex, order: Order): void {
  const containers = index.run.containers.map((_, container) => container).slice(0, 4);
  const progress = new Progress(index);
  const options: ScheduleOptions = { order, release: { type: "causal" }, patienceMs: 2000 };
  const schedules = (order === "global" ? [containers] : containers.map((one) => [one])).map(
    (mine) => new Schedule(index, new Set(containers), mine, progress, options, () => {}),
  );
  for (const schedule of schedules) playOut(schedule, 100 + 20 * index.eventCount);
}

function playOut(schedule: Schedule, mostTurns: number): void {
  let nowMs = 0;
  for (let turns = 0; turns < mostTurns; turns++) {
    const { type, event, untilMs } = schedule.next(nowMs);
    if (type === "done") return;
    if (type === "deliver") schedule.noteDelivered(event);
    else if (untilMs > nowMs) nowMs = untilMs;
    else throw new Error(`a schedule at ${nowMs} ms waits until ${untilMs} ms`);
  }
  throw new Error(`a schedule is not done after ${mostTurns} turns`);
}
