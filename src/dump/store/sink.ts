/**
 * The engine's side of the dump: receives bytes into it, and notes events.
 *
 * Bytes: `reserve` returns the place, the kernel receives chunks into it, and `commit` turns each
 * into a record. Any other call to the sink invalidates the place, so nothing else may happen in
 * between. A caller that cannot send the chunks on at once must copy the rest, because a written
 * block is reused.
 *
 * When the ring is full, `reserve` returns undefined and `packet` false. The engine then reads no
 * socket, which slows the senders down, and drops packets, until the writer signals the eventfd. An
 * event has already happened and cannot wait: it goes to a spill buffer in this thread's memory,
 * which is moved to the ring before anything else. Events are small, and each needs an action of a
 * peer, so the spill buffer stays small.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { assert } from "../../base/assert.ts";
import type { Family, Fd } from "../../base/units.ts";
import { maxChunkBytes, syntheticHeaderBytes } from "../../net/synthetic.ts";
import { Pieces } from "../../sys/pieces.ts";
import {
  advancePhase,
  newStream,
  RecordEncoder,
  type RecordMemory,
  type StreamState,
} from "../format/encoder.ts";
import { blockFrameBytes } from "../format/pcapng.ts";
import { Ring, type RingStore } from "./ring.ts";
import {
  type Endpoint,
  ethernetHeaderBytes,
  maxPacketBytes,
  RecordAt,
  recordBytes,
  RecordKind,
  writeUnitBytes,
} from "../format/schema.ts";

/** The parameters of a sink, passed to the engine thread. */
export interface SinkStore {
  readonly ring: RingStore;
  /** The run's start, in nanoseconds since the epoch. */
  readonly startNs: bigint;
}

/** An event without payload, after `connect`. */
export type StreamEvent =
  | typeof RecordKind.accept
  | typeof RecordKind.refuse
  | typeof RecordKind.end
  | typeof RecordKind.reset;

export class DumpSink {
  readonly #ring: Ring;
  readonly #encoder: RecordEncoder;
  readonly #pieces: Pieces;
  /** Bytes used of the current block. Valid only if `#open`; otherwise a block must be acquired. */
  #used = 0;
  #open = false;
  #blockAt = 0;
  #connections = 0;
  #spill: RecordMemory | undefined;
  #spillBytes = 0;

  /** `wakeup`: the eventfd that the writer signals when a full ring has room again. */
  constructor(store: SinkStore, wakeup: Fd) {
    this.#ring = new Ring(store.ring);
    this.#ring.wakeup = wakeup;
    this.#encoder = new RecordEncoder(store.startNs);
    this.#pieces = new Pieces(this.#ring.region);
  }

  /**
   * Room for up to `most` chunks of `maxChunkBytes`, or as many as fit into the block; undefined
   * while the ring is full.
   */
  reserve(family: Family, most: number): Pieces | undefined {
    const longestBytes = recordBytes(syntheticHeaderBytes(family) + maxChunkBytes);
    if (!this.#makeRoom(longestBytes)) return undefined;
    const room = Math.floor((this.#ring.blockBytes - blockFrameBytes - this.#used) / longestBytes);
    const at = RecordEncoder.payloadAt(this.#blockAt + this.#used, family);
    this.#pieces.layOut(at, maxChunkBytes, longestBytes, Math.min(most, room));
    return this.#pieces;
  }

  /**
   * Turns `lengthBytes` received at the reserved place into records. `atNs`: since the run's start.
   */
  commit(stream: StreamState, direction: Direction, lengthBytes: number, atNs: number): void {
    const mostBytes = this.#pieces.capacityBytes;
    assert(lengthBytes > 0 && lengthBytes <= mostBytes, "what is received fits what was reserved");
    advancePhase(stream, RecordKind.data, direction);
    for (let left = lengthBytes; left > 0; left -= maxChunkBytes) {
      const at = this.#blockAt + this.#used;
      this.#used += this.#encoder.stream(
        this.#ring.region,
        at,
        stream,
        RecordKind.data,
        direction,
        Math.min(left, maxChunkBytes),
        atNs,
      );
    }
  }

  /** Records a connection attempt and returns its number. */
  connect(family: Family, client: Endpoint, server: Endpoint, atNs: number): StreamState {
    const stream = newStream(++this.#connections, family, client, server);
    this.#note(stream, RecordKind.connect, Direction.toServer, atNs);
    return stream;
  }

  /**
   * Records an event of a connection; `direction` says which side caused it. Events are never lost:
   * see above. An event after the end of a connection (a reset in answer to a reset) is not
   * recorded.
   */
  event(stream: StreamState, kind: StreamEvent, direction: Direction, atNs: number): void {
    if (stream.phase === "over") return;
    advancePhase(stream, kind, direction);
    this.#note(stream, kind, direction, atNs);
  }

  /**
   * Records the IP packet in `bytes[from..from+lengthBytes)` from container `sender` to `receiver`
   * (-1: to more than one). Returns false if the ring is full: then the packet must not be sent,
   * either.
   */
  packet(
    sender: ContainerIndex,
    receiver: ContainerIndex,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): boolean {
    assert(lengthBytes > 0 && lengthBytes <= maxPacketBytes, "a packet is of a length that IP has");
    if (!this.#makeRoom(recordBytes(ethernetHeaderBytes + lengthBytes))) return false;
    const at = this.#blockAt + this.#used;
    const region = this.#ring.region;
    this.#used += this.#encoder.packet(
      region,
      at,
      sender,
      receiver,
      bytes,
      from,
      lengthBytes,
      atNs,
    );
    return true;
  }

  /**
   * Passes the current block to the writer; called by a timer (100 ms). Does nothing while the
   * writer is busy: it would not write the block any sooner, and many small blocks would fill the
   * ring.
   */
  flush(): void {
    if (this.#spillBytes > 0) this.#unspill();
    if (this.#ring.free === this.#ring.blocks) this.#handOver();
  }

  /** Passes everything on; the last call. Returns false if the ring is full: retry when woken. */
  seal(): boolean {
    if (this.#ring.failed) return true;
    if (this.#spillBytes > 0 && !this.#unspill()) return false;
    this.#handOver();
    return true;
  }

  /** True once the file cannot be written any more: the ring stays full, and the run should end. */
  get failed(): boolean {
    return this.#ring.failed;
  }

  #note(
    stream: StreamState,
    kind: Exclude<RecordKind, typeof RecordKind.packet | typeof RecordKind.data>,
    direction: Direction,
    atNs: number,
  ): void {
    const length = recordBytes(syntheticHeaderBytes(stream.family));
    if (this.#makeRoom(length)) {
      const at = this.#blockAt + this.#used;
      this.#encoder.stream(this.#ring.region, at, stream, kind, direction, 0, atNs);
      this.#used += length;
      return;
    }
    this.#spill = grown(this.#spill, this.#spillBytes, length);
    this.#encoder.stream(this.#spill, this.#spillBytes, stream, kind, direction, 0, atNs);
    this.#spillBytes += length;
  }

  /** Makes room for a record of `lengthBytes` in the current block, after any spilled records. */
  #makeRoom(lengthBytes: number): boolean {
    if (this.#spillBytes > 0 && !this.#unspill()) return false;
    return this.#roomInBlock(lengthBytes);
  }

  #roomInBlock(lengthBytes: number): boolean {
    // Keep room for a padding block, so that the block can always be filled up to a write unit.
    if (this.#open && this.#used + lengthBytes + blockFrameBytes > this.#ring.blockBytes) {
      this.#handOver();
    }
    if (this.#open) return true;
    if (!this.#ring.freeOrStarve()) return false;
    this.#open = true;
    this.#used = 0;
    this.#blockAt = this.#ring.startOf(this.#ring.filled);
    return true;
  }

  /** Moves as many spilled records to the ring as fit. Returns true if none is left. */
  #unspill(): boolean {
    const spill = this.#spill as RecordMemory;
    let from = 0;
    while (from < this.#spillBytes) {
      const length = spill.view.getUint32(from + RecordAt.totalLength, true);
      if (!this.#roomInBlock(length)) break;
      const record = spill.bytes.subarray(from, from + length);
      this.#ring.region.bytes.set(record, this.#blockAt + this.#used);
      this.#used += length;
      from += length;
    }
    spill.bytes.copyWithin(0, from, this.#spillBytes);
    this.#spillBytes -= from;
    return this.#spillBytes === 0;
  }

  /** Passes the current block on, unless it is empty. */
  #handOver(): void {
    if (!this.#open || this.#used === 0) return;
    this.#ring.handOver(this.#used);
    this.#open = false;
  }
}

/** Returns memory with the first `usedBytes` of `bytes` and room for `lengthBytes` more. */
function grown(
  memory: RecordMemory | undefined,
  usedBytes: number,
  lengthBytes: number,
): RecordMemory {
  if (memory !== undefined && usedBytes + lengthBytes <= memory.bytes.length) return memory;
  const bytes = new Uint8Array(Math.max(writeUnitBytes, 2 * (usedBytes + lengthBytes)));
  if (memory !== undefined) bytes.set(memory.bytes.subarray(0, usedBytes));
  return { bytes, view: new DataView(bytes.buffer) };
}
