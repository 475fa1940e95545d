/** Tracks all TCP connections of a capture, and finds the connection of each segment. */
import type { Family } from "../../base/units.ts";
import { TCP_ACK, TCP_RST, TCP_SYN } from "../../net/packet.ts";
import { Connection, type Side } from "./connection.ts";
import type { Findings } from "./findings.ts";
import { Half } from "./half.ts";
import { reorderingNs, retransmissionNs } from "./reassembly.ts";
import { distance } from "./sequence.ts";
import type { CaptureSink } from "./sink.ts";
import type { SegmentSink, TcpSegment } from "./tcp-segment.ts";

/** The most waiting bytes over all connections. */
const heldBytesMax: number = 64 << 20;
/**
 * The most connections remembered, in all and of those that are over, which may get late packets.
 */
const rememberedMax = 50_000;
const trackedMax = 200_000;
/** A connection idle for this long may be dropped if room is needed. */
const idleNs = 60e9;
/** A second connection on the same ports starts further than this from the end of the first. */
const farBytes = 1 << 26;
const ports = 0x1_0000;
const hosts = 2 ** 21;

/** A task with a due time. */
interface Due {
  readonly connection: Connection;
  readonly atNs: number;
}

export class Tracker implements SegmentSink {
  readonly #sink: CaptureSink;
  readonly #findings: Findings;
  /** By the pair of hosts, and within it by the pair of ports: see {@link Tracker.add}. */
  readonly #pairs = new Map<number, number>();
  readonly #connections = new Map<number, Connection>();
  /** Connections that are over, oldest first. */
  #over: { readonly key: number; readonly connection: Connection }[] = [];
  readonly #stalled = new Set<Connection>();
  /** Checks of stalled connections after the short and the long patience, each in order of time. */
  readonly #soon: Due[] = [];
  readonly #late: Due[] = [];
  #count = 0;
  #sweptAt = 0;

  constructor(sink: CaptureSink, findings: Findings) {
    this.#sink = sink;
    this.#findings = findings;
  }

  /** The number of connections so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes a segment from one host to another. */
  add(
    family: Family,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    segment: TcpSegment,
  ): void {
    const isForth = source === destination ? sourcePort <= destinationPort : source < destination;
    const key = isForth
      ? this.#key(source, sourcePort, destination, destinationPort)
      : this.#key(destination, destinationPort, source, sourcePort);
    const side: Side = isForth ? 0 : 1;
    const earlier = this.#connections.get(key);
    let connection = earlier;
    if (connection !== undefined && isSucceeded(connection, side, segment)) {
      connection.finish(segment.atNs);
      this.#stalled.delete(connection);
      connection = undefined;
    }
    if (connection === undefined) {
      const from = new Half(source, sourcePort);
      const to = new Half(destination, destinationPort);
      const halves: [Half, Half] = isForth ? [from, to] : [to, from];
      connection = this.#create(family, halves, earlier !== undefined);
      this.#connections.set(key, connection);
    }
    const wasOver = connection.isOver;
    connection.add(side, segment);
    if (connection.isOver && !wasOver) this.#retire(key, connection);
    else if (connection.isStalled) this.#stall(connection, segment.atNs);
    if (this.#soon.length > 0 || this.#late.length > 0) this.#settleDue(segment.atNs);
  }

  /** Call it after the last segment. */
  end(nowNs: number): void {
    for (const connection of this.#connections.values()) connection.finish(nowNs);
    this.#connections.clear();
    this.#stalled.clear();
  }

  #key(a: number, aPort: number, b: number, bPort: number): number {
    const pairKey = a * hosts + b;
    let pair = this.#pairs.get(pairKey);
    if (pair === undefined) {
      pair = this.#pairs.size;
      this.#pairs.set(pairKey, pair);
    }
    return pair * ports * ports + aPort * ports + bPort;
  }

  #create(family: Family, halves: [Half, Half], hasPredecessor: boolean): Connection {
    if (this.#connections.size >= trackedMax) this.#sweep();
    return new Connection(family, halves, {
      sink: this.#sink,
      findings: this.#findings,
      newNumber: () => ++this.#count,
      hasPredecessor,
    });
  }

  /** Drops long-idle connections, the oldest first. */
  #sweep(): void {
    const nowNs = this.#newestNs();
    if (nowNs - this.#sweptAt < idleNs / 2 && this.#sweptAt > 0) return;
    this.#sweptAt = nowNs;
    for (const [key, connection] of this.#connections) {
      if (nowNs - connection.lastSeenNs < idleNs) continue;
      connection.finish(nowNs);
      this.#stalled.delete(connection);
      this.#connections.delete(key);
    }
  }

  #newestNs(): number {
    let newest = 0;
    for (const { lastSeenNs } of this.#connections.values()) newest = Math.max(newest, lastSeenNs);
    return newest;
  }

  #retire(key: number, connection: Connection): void {
    this.#stalled.delete(connection);
    this.#over.push({ key, connection });
    if (this.#over.length < 2 * rememberedMax) return;
    const oldest = this.#over.slice(0, rememberedMax);
    this.#over = this.#over.slice(rememberedMax);
    for (const one of oldest)
      if (this.#connections.get(one.key) === one.connection) {
        one.connection.finish(one.connection.lastSeenNs);
        this.#connections.delete(one.key);
      }
  }

  #stall(connection: Connection, nowNs: number): void {
    if (this.#stalled.has(connection)) {
      if (connection.heldBytes > heldBytesMax / 4) connection.force(nowNs);
      return;
    }
    this.#stalled.add(connection);
    this.#soon.push({ connection, atNs: nowNs + reorderingNs });
    this.#late.push({ connection, atNs: nowNs + retransmissionNs });
    this.#boundMemory(nowNs);
  }

  #settleDue(nowNs: number): void {
    for (const queue of [this.#soon, this.#late])
      // Checks that are added meanwhile are for another time, even if the clock is too coarse.
      for (let left = queue.length; left > 0 && (queue[0] as Due).atNs <= nowNs; left--) {
        const { connection } = queue.shift() as Due;
        if (!this.#stalled.has(connection)) continue;
        connection.settle(nowNs, false);
        if (!connection.isStalled) this.#stalled.delete(connection);
        else if (queue === this.#late) this.#again(connection, nowNs);
      }
  }

  /** The connection has since stalled on another gap. */
  #again(connection: Connection, nowNs: number): void {
    this.#stalled.delete(connection);
    this.#stall(connection, nowNs);
  }

  #boundMemory(nowNs: number): void {
    if (this.#stalled.size % 64 !== 0) return;
    let held = 0;
    for (const { heldBytes } of this.#stalled) held += heldBytes;
    for (const connection of this.#stalled) {
      if (held <= heldBytesMax) return;
      held -= connection.heldBytes;
      connection.force(nowNs);
    }
  }
}

/** Whether this segment begins another connection on the same ports. */
function isSucceeded(connection: Connection, side: Side, segment: TcpSegment): boolean {
  const half = connection.halves[side];
  if ((segment.flags & TCP_RST) !== 0) return false;
  if ((segment.flags & TCP_SYN) !== 0) {
    if (half.initialSequence === segment.sequence) return false;
    if (connection.isOver) return true;
    if ((segment.flags & TCP_ACK) !== 0) return false;
    return half.initialSequence !== undefined || half.offset > 0 || half.hasEnded;
  }
  if (!connection.isOver || segment.payloadBytes === 0) return false;
  const gap = distance(segment.sequence, half.next);
  return gap > farBytes || gap < -farBytes;
}
