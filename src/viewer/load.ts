/** Reads a dump, piece by piece, into what the page shows of it. */
import type { EventNumber } from "../base/ids.ts";
import { DumpDecoder, type DumpItem } from "../dump/format/decoder.ts";
import { RecordingIndex } from "../recording/recording.ts";
import { RecordingBuilder } from "../recording/recording-builder.ts";
import { MessageTexts } from "../report/message-texts.ts";
import { type DumpSummary, SummaryFold } from "../report/summary.ts";

/** A dump that was read. Its bytes stay where they are, on a disk perhaps. */
export interface LoadedDump {
  readonly name: string;
  readonly bytes: Blob;
  readonly index: RecordingIndex;
  readonly summary: DumpSummary;
  readonly texts: MessageTexts;
}

/** Read at once: long enough to be quick, and short enough for the page to stay awake. */
const pieceBytes = 8 << 20;

/**
 * Reads the dump that `bytes` are. `onProgress` is told the share that was read, from 0 to 1.
 * Throws a DumpError for what is no dump, or a damaged one; `name` is what that calls it.
 */
export async function loadDump(
  name: string,
  bytes: Blob,
  onProgress: (share: number) => void = () => {},
): Promise<LoadedDump> {
  const decoder = new DumpDecoder({ name });
  const folds = new Folds();
  const read = (at: number): Promise<ArrayBuffer> => bytes.slice(at, at + pieceBytes).arrayBuffer();
  let coming = read(0);
  for (let at = 0; at < bytes.size; at += pieceBytes) {
    const piece = await coming;
    coming = read(at + pieceBytes);
    decoder.push(new Uint8Array(piece));
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) folds.add(item);
    onProgress(Math.min(1, (at + pieceBytes) / bytes.size));
  }
  const end = decoder.end();
  const { builder, summary, texts } = folds;
  texts.finish();
  return {
    name,
    bytes,
    index: new RecordingIndex(builder.finish()),
    summary: summary.summary(end),
    texts,
  };
}

/** What is made of a dump's items. */
class Folds {
  readonly builder: RecordingBuilder = new RecordingBuilder();
  readonly summary: SummaryFold = new SummaryFold();
  readonly texts: MessageTexts = new MessageTexts();

  add(item: DumpItem): void {
    const event = this.builder.eventCount;
    this.builder.add(item);
    this.summary.add(item);
    this.texts.add(item, event);
  }
}

/**
 * The first `mostBytes` of what an event carries: a piece of a stream, or a packet from its IP
 * header on.
 */
export async function payloadOf(
  { index, bytes }: LoadedDump,
  event: EventNumber,
  mostBytes: number = Infinity,
): Promise<Uint8Array> {
  const at = index.payloadPosition(event);
  const lengthBytes = Math.min(index.lengthBytes(event), mostBytes);
  return new Uint8Array(await bytes.slice(at, at + lengthBytes).arrayBuffer());
}
