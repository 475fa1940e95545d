/**
 * The same bytes as a capture: whatever they are, they are imported as far as they go, or are no
 * capture. And what the tracker says of a connection is an order that a dump can hold.
 */
import { align } from "../../src/capture/align/alignment.ts";
import { Timeline } from "../../src/capture/align/timeline.ts";
import { CaptureProblem } from "../../src/capture/read/packet.ts";
import { CaptureReader } from "../../src/capture/read/reader.ts";
import { Importer } from "../../src/capture/track/importer.ts";
import type { CaptureSink, TrackedConnection } from "../../src/capture/track/sink.ts";
import { Direction } from "../../src/base/direction.ts";
import { type Phase, phaseAfter } from "../../src/dump/format/lifecycle.ts";
import { RecordKind } from "../../src/dump/format/schema.ts";

/** Throws if a connection does what none can. */
class LifecycleSink implements CaptureSink {
  readonly #phases = new Map<number, Phase>();

  connect({ number }: TrackedConnection): void {
    if (number !== this.#phases.size + 1) throw new Error("connections are not numbered in order");
    this.#phases.set(number, "connecting");
  }

  accept(connection: TrackedConnection): void {
    this.#advance(connection, RecordKind.accept, false, 0);
  }

  refuse(connection: TrackedConnection): void {
    this.#advance(connection, RecordKind.refuse, false, 0);
  }

  data(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
  ): void {
    if (!(lengthBytes > 0 && from >= 0 && from + lengthBytes <= bytes.length))
      throw new Error(`data lie outside of the capture: ${lengthBytes} bytes at ${from}`);
    this.#advance(connection, RecordKind.data, isFromClient, missingBytes);
  }

  end(connection: TrackedConnection, isFromClient: boolean, missingBytes: number): void {
    this.#advance(connection, RecordKind.end, isFromClient, missingBytes);
  }

  reset(connection: TrackedConnection, isFromClient: boolean, missingBytes: number): void {
    this.#advance(connection, RecordKind.reset, isFromClient, missingBytes);
  }

  packet(): void {}

  #advance(
    { number }: TrackedConnection,
    kind: RecordKind,
    isFromClient: boolean,
    missingBytes: number,
  ): void {
    if (!(missingBytes >= 0)) throw new Error(`${missingBytes} bytes are missing`);
    const direction = isFromClient ? Direction.toServer : Direction.toClient;
    const phase = phaseAfter(this.#phases.get(number) ?? "over", kind, direction);
    if (phase === undefined) throw new Error(`connection ${number} cannot go on like this`);
    this.#phases.set(number, phase);
  }
}

/** What became of the import, in a few words. */
export function importAll(bytes: Uint8Array): string {
  const importer = new Importer(new LifecycleSink());
  const timeline = new Timeline();
  const watcher = new Importer(new LifecycleSink(), { tcp: timeline });
  const reader = new CaptureReader();
  const pieceBytes = 1 + (bytes.length % 5000);
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      reader.push(bytes.subarray(at, at + pieceBytes));
      for (let packet = reader.next(); packet !== undefined; packet = reader.next()) {
        const atNs = packet.seconds * 1e9 + packet.nanoseconds;
        importer.add(packet, atNs);
        watcher.add(packet, atNs);
      }
    }
    const { problem } = reader.end();
    importer.end();
    align([timeline, timeline]);
    const { missing, repaired } = importer.findings;
    const facts = [...Object.values(missing), ...Object.values(repaired)];
    return `${problem?.what.replaceAll(/\d+/g, "N")} ${facts.map((count) => Math.min(count, 2)).join("")}`;
  } catch (error) {
    if (!(error instanceof CaptureProblem)) throw error;
    return error.message;
  }
}
