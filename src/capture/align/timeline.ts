/**
 * The timeline of a capture: when it saw which bytes of each connection. Alignment compares clocks
 * by it.
 *
 * Positions count from the SYN, whose own position is [-1, 0). So they are the same in every
 * capture, even if a device between two captures rewrote the connection's sequence numbers.
 */
import type { Family } from "../../base/units.ts";
import { TCP_ACK, TCP_RST, TCP_SYN } from "../../net/packet.ts";
import { advanced, distance } from "../track/sequence.ts";
import type { SegmentSink, TcpSegment } from "../track/tcp-segment.ts";

/** The most moments kept per stream. On reaching it, every second one is dropped. */
const mostMoments = 4096;

/** First sightings, in stream order. */
class Moments {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly timesNs: number[] = [];
  #stride = 1;
  #skipped = 0;

  add(start: number, end: number, atNs: number): void {
    if (end <= (this.ends.at(-1) ?? -Infinity)) return;
    if (++this.#skipped < this.#stride) return;
    this.#skipped = 0;
    this.starts.push(start);
    this.ends.push(end);
    this.timesNs.push(atNs);
    if (this.ends.length < mostMoments) return;
    for (const list of [this.starts, this.ends, this.timesNs])
      list.splice(0, list.length, ...list.filter((_, i) => i % 2 === 0));
    this.#stride *= 2;
  }

  /** The time at which the byte before `position` was seen, or undefined. */
  timeOf(position: number): number | undefined {
    const at = this.#firstReaching(position);
    const start = this.starts[at];
    return start === undefined || start >= position ? undefined : this.timesNs[at];
  }

  /** The time at which a position was first reached, with or without the bytes before it. */
  timeReaching(position: number): number | undefined {
    return this.timesNs[this.#firstReaching(position)];
  }

  #firstReaching(position: number): number {
    let [low, high] = [0, this.ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ends[middle] as number) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** One direction of a connection. */
export interface HalfTimeline {
  /** The SYN's number, seen or inferred; undefined if it is unknown. */
  initialSequence: number | undefined;
  /** The times at which this capture saw bytes, and acknowledgments of them. */
  readonly sent: Moments;
  readonly acknowledged: Moments;
  /** The furthest position and its sequence number, from which numbers are unwrapped. */
  position: number;
}

/** One connection of a pair of endpoints. */
export interface ConnectionTimeline {
  readonly startNs: number;
  readonly halves: readonly [HalfTimeline, HalfTimeline];
}

function newHalf(): HalfTimeline {
  return {
    initialSequence: undefined,
    sent: new Moments(),
    acknowledged: new Moments(),
    position: 0,
  };
}

/** All connections of one capture. */
export class Timeline implements SegmentSink {
  /** By endpoints: see {@link endpointsKey}. */
  readonly connections: Map<string, ConnectionTimeline[]> = new Map<string, ConnectionTimeline[]>();

  add(
    _family: Family,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    segment: TcpSegment,
  ): void {
    const { key, side } = endpointsKey(source, sourcePort, destination, destinationPort);
    const hasAck = (segment.flags & TCP_ACK) !== 0;
    const isSyn = (segment.flags & TCP_SYN) !== 0;
    const connection = this.#connectionFor(key, side, segment);
    const own = connection.halves[side];
    const peer = connection.halves[side === 0 ? 1 : 0];
    if (isSyn) own.initialSequence ??= segment.sequence;
    // If a SYN is missing, the first acknowledgment from its side reveals the number.
    if (hasAck && peer.initialSequence === undefined && peer.sent.ends.length === 0)
      peer.initialSequence = advanced(segment.acknowledgment, -1);
    if ((segment.flags & TCP_RST) !== 0) return;
    if (isSyn) own.sent.add(-1, 0, segment.atNs);
    this.#addSent(own, segment, isSyn);
    if (hasAck && peer.initialSequence !== undefined) {
      const position = this.#positionOf(peer, segment.acknowledgment);
      peer.acknowledged.add(-1, position, segment.atNs);
    }
  }

  end(): void {}

  #addSent(half: HalfTimeline, segment: TcpSegment, isSyn: boolean): void {
    if (half.initialSequence === undefined || segment.payloadBytes === 0) return;
    const start = this.#positionOf(half, advanced(segment.sequence, isSyn ? 1 : 0));
    half.sent.add(start, start + segment.payloadBytes, segment.atNs);
    half.position = Math.max(half.position, start + segment.payloadBytes);
  }

  /** The position of a sequence number, near the furthest one so far. */
  #positionOf(half: HalfTimeline, sequence: number): number {
    const first = advanced(half.initialSequence as number, 1);
    return half.position + distance(sequence, advanced(first, half.position % 2 ** 32));
  }

  #connectionFor(key: string, side: 0 | 1, segment: TcpSegment): ConnectionTimeline {
    let list = this.connections.get(key);
    if (list === undefined) this.connections.set(key, (list = []));
    const last = list.at(-1);
    const isFresh = (segment.flags & (TCP_SYN | TCP_ACK)) === TCP_SYN;
    const known = last?.halves[side].initialSequence;
    if (last !== undefined && (!isFresh || known === undefined || known === segment.sequence))
      return last;
    const connection: ConnectionTimeline = {
      startNs: segment.atNs,
      halves: [newHalf(), newHalf()],
    };
    list.push(connection);
    return connection;
  }
}

/**
 * The key of a pair of endpoints, independent of the sender, and which of the two the sender is.
 */
export function endpointsKey(
  source: number,
  sourcePort: number,
  destination: number,
  destinationPort: number,
): { readonly key: string; readonly side: 0 | 1 } {
  const isForth = source === destination ? sourcePort <= destinationPort : source < destination;
  return isForth
    ? { key: `${source}:${sourcePort}-${destination}:${destinationPort}`, side: 0 }
    : { key: `${destination}:${destinationPort}-${source}:${sourcePort}`, side: 1 };
}
