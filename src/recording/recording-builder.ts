/**
 * Builds the index of a recording from the decoder's items, in one pass and in bounded memory: 37
 * bytes an event, about 50 a connection, and what the openings of connections take.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  endOf,
  endsUpTo,
  everyone,
} from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import { assert } from "../base/assert.ts";
import type { DumpItem, ExitItem, PacketItem, StreamItem } from "../dump/format/decoder.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";
import { Column, type ConnectionTableStore, Fact, factOf } from "./connection-table.ts";
import { flowOf, FlowTable, unknownFlow } from "./flows.ts";
import { Openings } from "./openings.ts";
import { IPPROTO_IGMP, PacketView } from "../net/packet.ts";
import {
  type EventSegment,
  type RecordingStore,
  segmentBytes,
  segmentEvents,
  segmentOver,
} from "./recording.ts";

export class RecordingBuilder {
  #run: RunInfo | undefined;
  readonly #segments: SharedArrayBuffer[] = [];
  #segment: EventSegment | undefined;
  #events = 0;
  /** The latest time of an event. */
  #endNs = 0;
  readonly #rows = new Rows();
  readonly #view = new PacketView();
  readonly #flows = new FlowTable();
  /**
   * By container: when it was stopped, in nanoseconds since the run's start; Infinity if it was
   * not.
   */
  readonly #stoppedAtNs: number[] = [];
  /** By container. */
  readonly #lastedNs: number[] = [];

  /** Takes the decoder's next item and copies the bytes it keeps. The first item is the run. */
  add(item: DumpItem): void {
    if (item.type === "run") this.#run = item.run;
    else if (item.type === "stream") this.#addStreamEvent(item);
    else if (item.type === "packet") this.#addPacket(item);
    else this.#addExit(item);
  }

  /** The number of events so far, which is the next event's number. */
  get eventCount(): number {
    return this.#events;
  }

  /** Returns the index after the last item. The builder must not be used again. */
  finish(): RecordingStore {
    assert(this.#run, "a dump begins with its run");
    const connections = this.#rows.finish();
    return {
      run: this.#run,
      events: this.#events,
      stoppedFrom: this.#stoppedFrom(this.#run.containers.length),
      lastedNs: this.#run.containers.map(
        (_, container) => this.#lastedNs[container] ?? this.#endNs,
      ),
      segments: this.#segments,
      flows: this.#flows.list,
      connections,
      byConnection: this.#groupByConnection(connections),
    };
  }

  /** Older dumps lack how long a command lasted. At most it was until the end. */
  #addExit({ container, exit, endNs }: ExitItem): void {
    this.#stoppedAtNs[container] = exit.stoppedAtNs ?? Infinity;
    const runNs = Math.max(0, Number(endNs - (this.#run?.startNs ?? 0n)));
    this.#lastedNs[container] = Math.min(runNs, exit.stoppedAtNs ?? exit.lastedNs ?? Infinity);
  }

  /**
   * By container: the first event that is not before the stop of its command. All later events
   * count as after the stop, even if a manipulated dump has times that go back. In a torn
   * recording, a command without a recorded end stops at the tear.
   */
  #stoppedFrom(containers: number): number[] {
    const stoppedAtNs = (container: ContainerIndex): number =>
      this.#stoppedAtNs[container] ?? Infinity;
    const from = Array.from({ length: containers }, (_, container) =>
      this.#stoppedAtNs[container] === Infinity ? Infinity : this.#events,
    );
    const stopped = [...from.keys()]
      .filter((container) => stoppedAtNs(container) < Infinity)
      .toSorted((a, b) => stoppedAtNs(a) - stoppedAtNs(b));
    const times = this.#segments.map((memory) => segmentOver(memory).times);
    let next = 0;
    for (let event = 0; event < this.#events && next < stopped.length; event++) {
      const timeNs = times[Math.floor(event / segmentEvents)]?.[event % segmentEvents] as number;
      for (; next < stopped.length && timeNs >= stoppedAtNs(stopped[next] as number); next++)
        from[stopped[next] as number] = event;
    }
    return from;
  }

  #addStreamEvent(item: StreamItem): void {
    const { kind, direction, connection, payload, payloadPosition, streamOffset, atNs } = item;
    if (kind === RecordKind.connect) this.#rows.begin(connection);
    this.#rows.note(item);
    const tag = kind | (direction << 4);
    this.#append(tag, connection.number, payload.length, payloadPosition, streamOffset, atNs);
  }

  /** Multicast group reports: kernels send them at random times, and no process sees them. */
  #addPacket({ sender, receiver, packet, packetPosition, atNs }: PacketItem): void {
    const isParsed = this.#view.parse(packet, 0, packet.length);
    if (isParsed && receiver === everyone && this.#view.protocol === IPPROTO_IGMP) return;
    const flow = isParsed
      ? flowOf(this.#view, packet, sender, receiver)
      : unknownFlow(sender, receiver);
    this.#append(
      RecordKind.packet,
      this.#flows.numberOf(flow),
      packet.length,
      packetPosition,
      receiver,
      atNs,
    );
  }

  #append(
    tag: number,
    connection: ConnectionNumber,
    lengthBytes: number,
    position: number,
    offset: number,
    atNs: number,
  ): void {
    const at = this.#events++ % segmentEvents;
    this.#endNs = Math.max(this.#endNs, atNs);
    if (at === 0) this.#segment = this.#newSegment();
    const segment = this.#segment as EventSegment;
    segment.kinds[at] = tag;
    segment.connections[at] = connection;
    segment.lengths[at] = lengthBytes;
    segment.positions[at] = position;
    segment.offsets[at] = offset;
    segment.times[at] = atNs;
  }

  #newSegment(): EventSegment {
    const memory = new SharedArrayBuffer(segmentBytes);
    this.#segments.push(memory);
    return segmentOver(memory);
  }

  /** A counting sort: the rows hold the counts, and then where each group begins. */
  #groupByConnection(store: ConnectionTableStore): SharedArrayBuffer {
    const words = new Uint32Array(store.words);
    const fill = new Uint32Array(store.count + 2);
    let total = 0;
    for (let row = 0; row < fill.length; row++) {
      const count = words[row * Column.count + Column.from] as number;
      words[row * Column.count + Column.from] = total;
      fill[row] = total;
      total += count;
    }
    const grouped = new Uint32Array(new SharedArrayBuffer(4 * total));
    this.#segments.map(segmentOver).forEach((segment, number) => {
      const first = number * segmentEvents;
      const events = Math.min(segmentEvents, this.#events - first);
      for (let at = 0; at < events; at++) {
        if (((segment.kinds[at] as number) & 0xf) === RecordKind.packet) continue;
        const row = segment.connections[at] as number;
        grouped[fill[row] as number] = first + at;
        fill[row] = (fill[row] as number) + 1;
      }
    });
    return grouped.buffer;
  }
}

/** The table of connections while it grows. Its column `from` counts the events. */
class Rows {
  #words = new Uint32Array(64 * Column.count);
  #bytes = new Float64Array(64 * 2);
  #count = 0;
  readonly #openings = new Openings();
  /** Connections whose client has not received anything yet. */
  readonly #opening = new Set<number>();

  begin({ number, family, client, server }: StreamItem["connection"]): void {
    assert(number === this.#count + 1, "connections are numbered in order");
    this.#count = number;
    // One more row, for the end of the last group.
    if ((number + 2) * Column.count > this.#words.length) this.#grow();
    this.#set(number, Column.client, client.container);
    this.#set(number, Column.server, server.container);
    this.#set(number, Column.ports, client.port * 0x1_0000 + server.port);
    this.#set(number, Column.facts, family === 6 ? Fact.ipv6 : 0);
    this.#opening.add(number);
  }

  note({ kind, connection: { number }, direction, missingBytes, payload }: StreamItem): void {
    this.#set(number, Column.from, this.#get(number, Column.from) + 1);
    this.#set(number, Column.facts, this.#get(number, Column.facts) | factOf(kind, direction));
    const at = endOf(number, direction);
    this.#bytes[at] = (this.#bytes[at] as number) + missingBytes + payload.length;
    if (!this.#opening.has(number)) return;
    if (kind === RecordKind.data && direction === Direction.toServer)
      this.#openings.add(number, payload);
    else if (kind !== RecordKind.connect && kind !== RecordKind.accept) this.#closeOpening(number);
  }

  finish(): ConnectionTableStore {
    for (const number of this.#opening) this.#closeOpening(number);
    return {
      count: this.#count,
      words: shared(this.#words.subarray(0, (this.#count + 2) * Column.count)),
      bytes: shared(this.#bytes.subarray(0, endsUpTo(this.#count))),
      openings: this.#openings.finish(),
    };
  }

  #closeOpening(number: ConnectionNumber): void {
    this.#opening.delete(number);
    const { at, lengthBytes } = this.#openings.take(number);
    this.#set(number, Column.openingAt, at);
    this.#set(number, Column.openingLength, lengthBytes);
  }

  #get(number: ConnectionNumber, column: number): number {
    return this.#words[number * Column.count + column] as number;
  }

  #set(number: ConnectionNumber, column: number, value: number): void {
    this.#words[number * Column.count + column] = value;
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    const bytes = new Float64Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

function shared(values: Uint32Array | Float64Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(values.byteLength);
  new Uint8Array(memory).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return memory;
}
