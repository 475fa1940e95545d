/** Yields the selected events of a dump in order, redacted. Every export format uses it. */
import type { ConnectionNumber } from "../base/ids.ts";
import { type DumpEnd, type DumpItem } from "../dump/format/decoder.ts";
import { type ReadPayload, RecordedStream } from "../recording/recorded-stream.ts";
import type { RunInfo } from "../dump/format/schema.ts";
import type { RecordingIndex } from "../recording/recording.ts";
import type { Selection } from "../report/selection.ts";
import { chosenConnections, isChosenPacket } from "./choice.ts";
import { redactPacket } from "./packet-redaction.ts";
import { matchesIn, type Range, redact } from "./redaction.ts";

export interface ExportOptions {
  readonly selection: Selection;
  /** Global patterns over the bytes as Latin-1. */
  readonly redactions: readonly RegExp[];
}

/** The connections and packets that an export holds, and the places that it redacted. */
export interface ExportCounts {
  connections: number;
  packets: number;
  redactions: number;
}

/** Filters and redacts the items of an indexed dump. */
export class ExportFilter {
  readonly counts: ExportCounts = { connections: 0, packets: 0, redactions: 0 };
  readonly #index: RecordingIndex;
  readonly #read: ReadPayload;
  readonly #options: ExportOptions;
  readonly #chosen: ReadonlySet<number>;
  /** By connection and direction. */
  readonly #ranges = new Map<string, readonly Range[]>();
  #packetEvent = 0;

  constructor(index: RecordingIndex, read: ReadPayload, options: ExportOptions) {
    this.#index = index;
    this.#read = read;
    this.#options = options;
    this.#chosen = chosenConnections(index, read, options.selection);
    this.counts.connections = this.#chosen.size;
  }

  /** Yields the exported items. Payloads are valid until the next item. */
  *items(items: Generator<DumpItem, DumpEnd>): Generator<DumpItem> {
    for (const item of items) {
      const kept = this.#keep(item);
      if (kept !== undefined) yield kept;
    }
  }

  #keep(item: DumpItem): DumpItem | undefined {
    if (item.type === "run") return { ...item, run: this.#redactRun(item.run) };
    if (item.type === "packet") return this.#keepPacket(item);
    if (item.type !== "stream") return item;
    const { connection, direction, payload, streamOffset } = item;
    if (!this.#chosen.has(connection.number)) return undefined;
    if (payload.length === 0 || this.#options.redactions.length === 0) return item;
    const redacted = payload.slice();
    redact(redacted, streamOffset, this.#rangesOf(connection.number, direction));
    return { ...item, payload: redacted };
  }

  /** Redacts commands and the recorder's notes, which may hold the same secrets as the streams. */
  #redactRun(run: RunInfo): RunInfo {
    const notes = Object.entries(run.notes).map(([name, note]) => [
      name,
      typeof note === "string" ? this.#redactText(note) : note,
    ]);
    return {
      ...run,
      notes: Object.fromEntries(notes) as RunInfo["notes"],
      containers: run.containers.map((container) => ({
        ...container,
        command: this.#redactText(container.command),
      })),
    };
  }

  #redactText(text: string): string {
    let redacted = text;
    for (const pattern of this.#options.redactions)
      redacted = redacted.replaceAll(pattern, (match) => {
        this.counts.redactions++;
        return "X".repeat(match.length);
      });
    return redacted;
  }

  #keepPacket(item: DumpItem & { type: "packet" }): DumpItem | undefined {
    const { redactions, selection } = this.#options;
    const event = this.#eventOfPacket(item.packetPosition);
    if (event === undefined || !isChosenPacket(this.#index, event, item.packet, selection))
      return undefined;
    this.counts.packets++;
    const packet = item.packet.slice();
    if (redactPacket(packet, redactions)) this.counts.redactions++;
    return { ...item, packet };
  }

  /** Finds a packet's event. Packets come in the order of the index, which leaves some out. */
  #eventOfPacket(position: number): number | undefined {
    const index = this.#index;
    while (
      this.#packetEvent < index.eventCount &&
      index.payloadPosition(this.#packetEvent) < position
    )
      this.#packetEvent++;
    return index.payloadPosition(this.#packetEvent) === position ? this.#packetEvent : undefined;
  }

  #rangesOf(connection: ConnectionNumber, direction: 0 | 1): readonly Range[] {
    const key = `${connection} ${direction}`;
    let ranges = this.#ranges.get(key);
    if (ranges === undefined) {
      const stream = new RecordedStream(this.#index, this.#read, connection, direction);
      ranges = matchesIn(stream, this.#options.redactions);
      this.#ranges.set(key, ranges);
      this.counts.redactions += ranges.length;
    }
    return ranges;
  }
}
