/**
 * Writes a dump from one thread, as fast as the caller has events: for imports and exports. (A
 * recording goes through the ring and its threads, so that the traffic never waits for the disk.)
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { assert } from "../../base/assert.ts";
import type { Family } from "../../base/units.ts";
import { maxChunkBytes, syntheticHeaderBytes } from "../../net/synthetic.ts";
import { hugePageBytes, type Region, regionIn } from "../../sys/memory.ts";
import { completeRecords, type RecordCounts } from "../format/checksums.ts";
import {
  advancePhase,
  newStream,
  RecordEncoder,
  skipMissing,
  type StreamState,
} from "../format/encoder.ts";
import { headerBlocks, keyBlocks, trailerBlocks } from "../format/header.ts";
import { blockFrameBytes, padToUnit } from "../format/pcapng.ts";
import {
  type CommandExit,
  type Endpoint,
  ethernetHeaderBytes,
  recordBytes,
  RecordKind,
  type RunInfo,
  writeUnitBytes,
} from "../format/schema.ts";
import { createSummableMemory, type SumRange, sumIn } from "../format/vector-sum.ts";
import { type Appender, appendBlocks } from "./block-writer.ts";
import type { StreamEvent } from "./sink.ts";

/** What is written at once. */
const bufferBytes = hugePageBytes;

/** Writes one dump. Every method throws what the appender throws when the disk is full. */
export class DirectWriter {
  readonly #file: Appender;
  readonly #startNs: bigint;
  readonly #region: Region;
  readonly #sum: SumRange;
  readonly #encoder: RecordEncoder;
  readonly #counts: RecordCounts;
  #usedBytes = 0;
  #connections = 0;

  /** Writes the header at once, and behind it `keys`, a TLS key log, if there are any. */
  constructor(file: Appender, run: RunInfo, keys: Uint8Array = new Uint8Array(0)) {
    const memory = createSummableMemory(bufferBytes + writeUnitBytes);
    this.#file = file;
    this.#startNs = run.startNs;
    this.#region = regionIn(memory.buffer, bufferBytes);
    this.#sum = sumIn(memory, this.#region.bytes.byteOffset);
    this.#encoder = new RecordEncoder(run.startNs);
    this.#counts = new Float64Array(run.containers.length);
    appendBlocks(file, [...headerBlocks(run), ...keyBlocks(keys)], this.#region);
  }

  /** Writes a connection attempt and numbers it. */
  connect(family: Family, client: Endpoint, server: Endpoint, atNs: number): StreamState {
    const stream = newStream(++this.#connections, family, client, server);
    this.#write(stream, RecordKind.connect, Direction.toServer, atNs);
    return stream;
  }

  event(stream: StreamState, kind: StreamEvent, direction: Direction, atNs: number): void {
    advancePhase(stream, kind, direction);
    this.#write(stream, kind, direction, atNs);
  }

  /** Notes that `lengthBytes` of a direction are missing: the next event of it says so. */
  skip(stream: StreamState, direction: Direction, lengthBytes: number): void {
    skipMissing(stream, direction, lengthBytes);
  }

  /** Writes `bytes[from..from+lengthBytes)` of a stream, in as many records as it takes. */
  data(
    stream: StreamState,
    direction: Direction,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void {
    advancePhase(stream, RecordKind.data, direction);
    for (let done = 0; done < lengthBytes; done += maxChunkBytes) {
      const chunkBytes = Math.min(lengthBytes - done, maxChunkBytes);
      const totalBytes = recordBytes(syntheticHeaderBytes(stream.family) + chunkBytes);
      const at = this.#room(totalBytes);
      const chunk = bytes.subarray(from + done, from + done + chunkBytes);
      this.#region.bytes.set(chunk, RecordEncoder.payloadAt(at, stream.family));
      this.#encoder.stream(this.#region, at, stream, RecordKind.data, direction, chunkBytes, atNs);
    }
  }

  /** Writes an IP packet that is not TCP. `receiver` may be `everyone`. */
  packet(
    sender: ContainerIndex,
    receiver: ContainerIndex,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void {
    const at = this.#room(recordBytes(ethernetHeaderBytes + lengthBytes));
    this.#encoder.packet(this.#region, at, sender, receiver, bytes, from, lengthBytes, atNs);
  }

  /** Writes the rest and the trailer. `exits` has an element for each container. */
  close(endNs: bigint, exits: readonly CommandExit[]): void {
    this.#flush();
    assert(exits.length === this.#counts.length, "every container has an end");
    const end = { startNs: this.#startNs, endNs, exits, records: this.#counts };
    appendBlocks(this.#file, trailerBlocks(end), this.#region);
  }

  #write(
    stream: StreamState,
    kind: StreamEvent | typeof RecordKind.connect,
    direction: Direction,
    atNs: number,
  ): void {
    const at = this.#room(recordBytes(syntheticHeaderBytes(stream.family)));
    this.#encoder.stream(this.#region, at, stream, kind, direction, 0, atNs);
  }

  /** Takes room for a record of `lengthBytes`. A padding block always fits behind it. */
  #room(lengthBytes: number): number {
    if (this.#usedBytes + lengthBytes + blockFrameBytes > bufferBytes) this.#flush();
    const at = this.#usedBytes;
    this.#usedBytes += lengthBytes;
    return at;
  }

  #flush(): void {
    if (this.#usedBytes === 0) return;
    completeRecords(this.#region, 0, this.#usedBytes, this.#counts, this.#sum);
    const end = padToUnit(this.#region, 0, this.#usedBytes, writeUnitBytes);
    this.#file.append(this.#region.bytes.subarray(0, end));
    this.#usedBytes = 0;
  }
}
