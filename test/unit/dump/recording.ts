/**
 * Makes recordings in memory, through the real sink, ring and block writer, and reads them back.
 */
import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import type { Family, Fd, Port } from "../../../src/base/units.ts";
import { completeBlocks } from "../../../src/dump/store/block-completer.ts";
import { type Appender, appendBlocks, writeBlocks } from "../../../src/dump/store/block-writer.ts";
import { DumpDecoder, type DumpEnd, type DumpItem } from "../../../src/dump/format/decoder.ts";
import type { StreamState } from "../../../src/dump/format/encoder.ts";
import { headerBlocks, trailerBlocks } from "../../../src/dump/format/header.ts";
import { phaseAfter } from "../../../src/dump/format/lifecycle.ts";
import { createRing, Ring, type RingStore } from "../../../src/dump/store/ring.ts";
import {
  type Endpoint,
  maxBlockBytes,
  recordBytes,
  RecordKind,
  type RunInfo,
} from "../../../src/dump/format/schema.ts";
import { DumpSink, type StreamEvent } from "../../../src/dump/store/sink.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { maxChunkBytes, syntheticHeaderBytes } from "../../../src/net/synthetic.ts";
import { allocateRegion } from "../../../src/sys/memory.ts";

const startNs = 1_700_000_000_123_456_789n;
const noWakeup = -1 as Fd;

export const run: RunInfo = {
  toolVersion: "0.1.0",
  subnets: ["10.0.0.0/24", "fd70:6c67:a00::/64"],
  host: "workbench",
  kernel: "Linux 6.18.0",
  hardware: "x86_64",
  startNs,
  notes: { uid: 1000, user: "ada", flood: false },
  containers: ["server", "client", "scout"].map((name, index) => ({
    name,
    command: `run ${name} --quoted "é\n"`,
    addresses: [`10.0.0.${index + 1}`, `fd70:6c67:a00::${index + 1}`],
  })),
};

/** The end of a connection at container `container`. */
export function endpoint(family: Family, container: number, port: number): Endpoint {
  const text = run.containers[container]?.addresses[family === 4 ? 0 : 1] ?? "";
  return { container, address: parseAddress(text) as Uint8Array, port: port as Port };
}

/** A file that is only memory. */
export class MemoryFile implements Appender {
  readonly writes: Uint8Array[] = [];

  get lengthBytes(): number {
    return this.writes.reduce((total, write) => total + write.length, 0);
  }

  append(bytes: Uint8Array): void {
    this.writes.push(bytes.slice());
  }

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.writes));
  }
}

/** What an item says, without what depends on where it lies. */
export type Told = Record<string, unknown>;

/** The decoder's items, comparable: bytes are copied, connections told by number and ends. */
export function tell(item: DumpItem): Told {
  if (item.type === "run") return { type: "run", run: item.run };
  if (item.type === "exit") return { ...item };
  const { position: _position, ...rest } = item;
  if (rest.type === "packet") {
    const { packetPosition: _at, packet, ...packetRest } = rest;
    return { ...packetRest, packet: Buffer.from(packet).toString("hex") };
  }
  const { payloadPosition: _at, payload, connection, ...streamRest } = rest;
  return {
    ...streamRest,
    connection: connection.number,
    ports: [connection.client.port, connection.server.port],
    payload: Buffer.from(payload).toString("hex"),
  };
}

/** Decodes `bytes` in pieces of `pieceBytes`. */
export function decode(
  bytes: Uint8Array,
  pieceBytes: number = bytes.length,
): { items: DumpItem[]; told: Told[]; end: DumpEnd } {
  const decoder = new DumpDecoder({ name: "t.dump" });
  const items: DumpItem[] = [];
  const told: Told[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    decoder.push(bytes.subarray(at, at + pieceBytes));
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) {
      items.push(item);
      told.push(tell(item));
    }
  }
  return { items, told, end: decoder.end() };
}

/** Records into memory; what has been recorded is told beside, for comparison. */
export class Recording {
  readonly told: Told[] = [];
  readonly streams: StreamState[] = [];
  readonly ring: RingStore;
  readonly sink: DumpSink;
  atNs = 0;

  constructor(ring: RingStore = createRing(16, maxBlockBytes)) {
    this.ring = ring;
    this.sink = new DumpSink({ ring, startNs }, noWakeup);
    this.told.push({ type: "run", run });
  }

  connect(family: Family, client: number, server: number): StreamState {
    const ends = [endpoint(family, client, 40_000), endpoint(family, server, 80)] as const;
    const stream = this.sink.connect(family, ...ends, this.atNs);
    this.streams.push(stream);
    this.#tell(stream, RecordKind.connect, Direction.toServer, 0, Buffer.alloc(0));
    return stream;
  }

  event(stream: StreamState, kind: StreamEvent, direction: Direction): void {
    const offset = sentBytes(stream, direction);
    this.sink.event(stream, kind, direction, this.atNs);
    this.#tell(stream, kind, direction, offset, Buffer.alloc(0));
  }

  /** False if the ring is full. */
  data(stream: StreamState, direction: Direction, payload: Uint8Array): boolean {
    const place = this.sink.reserve(stream.family, 1);
    if (!place) return false;
    const offset = sentBytes(stream, direction);
    place.region.bytes.set(payload, place.at);
    this.sink.commit(stream, direction, payload.length, this.atNs);
    this.#tell(stream, RecordKind.data, direction, offset, payload);
    return true;
  }

  /**
   * As many bytes as fit into what is reserved for `most` chunks at once; undefined if the ring is
   * full.
   */
  flood(stream: StreamState, direction: Direction, most: number): number | undefined {
    const place = this.sink.reserve(stream.family, most);
    if (!place) return undefined;
    const offset = sentBytes(stream, direction);
    const payload = pattern(place.capacityBytes, most);
    const stepBytes = recordBytes(syntheticHeaderBytes(stream.family) + maxChunkBytes);
    for (let i = 0; i * maxChunkBytes < payload.length; i++) {
      const at = i * maxChunkBytes;
      const chunk = payload.subarray(at, at + maxChunkBytes);
      place.region.bytes.set(chunk, place.at + i * stepBytes);
      this.#tell(stream, RecordKind.data, direction, offset + at, chunk);
    }
    this.sink.commit(stream, direction, payload.length, this.atNs);
    return payload.length;
  }

  packet(sender: number, receiver: number, packet: Uint8Array): boolean {
    if (!this.sink.packet(sender, receiver, packet, 0, packet.length, this.atNs)) return false;
    const hex = Buffer.from(packet).toString("hex");
    this.told.push({ type: "packet", sender, receiver, atNs: this.atNs, packet: hex });
    return true;
  }

  /** Header, records, trailer: the whole dump, as written; `about` is what it says of the run. */
  finish(about: RunInfo = run): MemoryFile {
    const file = new MemoryFile();
    appendBlocks(file, headerBlocks(about), allocateRegion(maxBlockBytes));
    const counts = new Float64Array(run.containers.length);
    if (!this.sink.seal()) throw new Error("the ring is too full to seal");
    const ring = new Ring(this.ring);
    ring.close();
    completeBlocks(ring, counts);
    writeBlocks(ring, file);
    const end = { startNs, endNs: startNs + BigInt(this.atNs), exits, records: counts };
    appendBlocks(file, trailerBlocks(end), allocateRegion(maxBlockBytes));
    exits.forEach((exit, container) =>
      this.told.push({
        type: "exit",
        container,
        exit,
        endNs: end.endNs,
        records: counts[container],
      }),
    );
    return file;
  }

  #tell(
    stream: StreamState,
    kind: RecordKind,
    direction: Direction,
    streamOffset: number,
    payload: Uint8Array,
  ): void {
    this.told.push({
      type: "stream",
      kind,
      direction,
      atNs: this.atNs,
      streamOffset,
      missingBytes: 0,
      connection: stream.number,
      ports: [stream.client.port, stream.server.port],
      payload: Buffer.from(payload).toString("hex"),
    });
  }
}

const exits = [{ exitCode: 0 }, { signal: "SIGTERM" }, {}];

function sentBytes(stream: StreamState, direction: Direction): number {
  return direction === Direction.toServer
    ? stream.clientSender.sentBytes
    : stream.serverSender.sentBytes;
}

/** One random thing to happen: numbers that {@link perform} makes sense of. */
export const step: fc.Arbitrary<{ what: number; which: number; length: number; gap: number }> =
  fc.record({
    what: fc.nat(10),
    which: fc.nat(1000),
    length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 65_495 })),
    gap: fc.oneof(fc.nat(1000), fc.nat(2 ** 34)),
  });

/** Does to `recording` what a step stands for, if it is possible where its connection stands. */
export function perform(
  recording: Recording,
  { what, which, length, gap }: { what: number; which: number; length: number; gap: number },
): void {
  recording.atNs += gap;
  const stream = recording.streams[which % Math.max(1, recording.streams.length)];
  if (stream === undefined || what === 0) {
    recording.connect(which % 2 === 0 ? 4 : 6, which % 3, (which + 1) % 3);
    return;
  }
  const direction = which % 2 === 0 ? Direction.toServer : Direction.toClient;
  if (what === 1) {
    recording.packet(which % 3, (which % 4) - 1, ipPacket(direction === 0 ? 4 : 6, length));
    return;
  }
  const kind = [RecordKind.accept, RecordKind.refuse, RecordKind.end, RecordKind.reset][what - 2];
  if (kind === undefined) {
    if (phaseAfter(stream.phase, RecordKind.data, direction) === undefined) return;
    recording.data(stream, direction, pattern(length, which));
  } else if (phaseAfter(stream.phase, kind, direction) !== undefined) {
    recording.event(stream, kind, direction);
  }
}

/** Bytes that differ from place to place. */
export function pattern(lengthBytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, at) => (at * 31 + seed + (at >>> 8)) & 0xff);
}

/** Something that begins like an IP packet. */
export function ipPacket(family: Family, lengthBytes: number): Uint8Array {
  const packet = pattern(lengthBytes, 7);
  packet[0] = family === 4 ? 0x45 : 0x60;
  return packet;
}

/** A small recording with every kind of item in it. */
export function smallRecording(): Recording {
  const recording = new Recording(createRing(2, maxBlockBytes));
  const tick = (): void => {
    recording.atNs += 1500;
  };
  for (const family of [4, 6] as const) {
    const stream = recording.connect(family, 1, 0);
    tick();
    recording.event(stream, RecordKind.accept, Direction.toClient);
    recording.data(stream, Direction.toServer, Buffer.from("hello, server"));
    tick();
    recording.data(stream, Direction.toClient, pattern(301, family));
    recording.event(stream, RecordKind.end, Direction.toServer);
    recording.event(stream, RecordKind.end, Direction.toClient);
    recording.event(recording.connect(family, 2, 0), RecordKind.refuse, Direction.toClient);
    recording.packet(2, -1, ipPacket(family, 60));
  }
  const broken = recording.connect(4, 1, 2);
  recording.event(broken, RecordKind.accept, Direction.toClient);
  recording.event(broken, RecordKind.reset, Direction.toServer);
  recording.connect(6, 1, 2);
  return recording;
}
