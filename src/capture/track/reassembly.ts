/**
 * Puts the bytes of a connection's two directions in order. Three rules restore what the two
 * processes saw:
 *
 * - A byte is delivered once, in sequence, as the receiving kernel would deliver it (segments.ts).
 * - A host's bytes are delivered after all the bytes that the host acknowledges with them. So no
 *   answer precedes its question, even if the capture has them in the wrong order.
 * - Missing bytes are waited for, but not forever. Once the peer has acknowledged them and {@link
 *   reorderingNs} have passed, the capture lacks them: they are a gap.
 */
import { TCP_ACK, TCP_FIN } from "../../net/packet.ts";
import type { Delivery } from "./delivery.ts";
import type { Findings } from "./findings.ts";
import type { Half } from "./half.ts";
import { endOf, type Segment } from "./segments.ts";
import { advanced, distance, leapBytes, widestWindowBytes } from "./sequence.ts";
import type { TcpSegment } from "./tcp-segment.ts";

/**
 * The longest time by which a capture may reorder packets, with several queues of a network card.
 */
export const reorderingNs = 100e6;
/** The time in which a segment may be retransmitted, if no acknowledgment shows that it arrived. */
export const retransmissionNs = 10e9;

/** What became of a segment: it continues the stream, repeats it, or does not belong to it. */
export type Reception = "new" | "old" | "stray";

export class Reassembly {
  readonly #halves: readonly [Half, Half];
  readonly #delivery: Delivery;
  readonly #findings: Findings;
  /** Nothing is delivered before the connection is accepted. */
  #isOpen = false;

  constructor(halves: readonly [Half, Half], delivery: Delivery, findings: Findings) {
    this.#halves = halves;
    this.#delivery = delivery;
    this.#findings = findings;
  }

  get heldBytes(): number {
    return this.#halves[0].waiting.heldBytes + this.#halves[1].waiting.heldBytes;
  }

  /** Whether segments wait. */
  get isStalled(): boolean {
    return this.#halves[0].waiting.length > 0 || this.#halves[1].waiting.length > 0;
  }

  /** Whether both directions have ended. */
  get hasEnded(): boolean {
    return this.#halves[0].hasEnded && this.#halves[1].hasEnded;
  }

  /** Begins to deliver. */
  open(nowNs: number): void {
    this.#isOpen = true;
    this.drain(nowNs);
  }

  /** Delivers nothing from now on, because the connection was reset. */
  stop(): void {
    this.#isOpen = false;
  }

  /** Takes a segment with data or a FIN, sent by `half`. */
  add(half: Half, segment: TcpSegment): Reception {
    const { sequence, payloadBytes, flags } = segment;
    const hasFin = (flags & TCP_FIN) !== 0;
    if (isBeforeAnchor(half, segment)) half.anchor(sequence);
    const ahead = distance(sequence, half.next);
    const newBytes = distance(advanced(sequence, payloadBytes + (hasFin ? 1 : 0)), half.next);
    if (newBytes <= 0) {
      if (payloadBytes <= 1 && ahead === -1) this.#findings.repaired.keepAlives++;
      else this.#findings.repaired.retransmitted++;
      return "old";
    }
    if (half.hasEnded || ahead > widestWindowBytes) {
      this.#findings.ignored.straySegments++;
      this.#findings.ignored.strayBytes += payloadBytes;
      return "stray";
    }
    if (ahead < 0) this.#findings.repaired.overlapping++;
    const isNext = this.#isOpen && ahead <= 0 && half.waiting.length === 0;
    if (isNext && !this.#mustWait(half, segment)) this.#deliverNow(half, segment, -ahead, hasFin);
    else this.hold(half, segment, sequence, false);
    return "new";
  }

  /** Lets a segment whose payload begins at `sequence` wait for its turn. */
  hold(half: Half, segment: TcpSegment, sequence: number, isInSyn: boolean): void {
    const { bytes, payloadAt, capturedBytes, payloadBytes, flags, atNs } = segment;
    const isAhead = distance(sequence, half.next) > 0;
    const isNew = half.waiting.add({
      sequence,
      lengthBytes: payloadBytes,
      bytes: bytes.slice(payloadAt, payloadAt + capturedBytes),
      hasFin: (flags & TCP_FIN) !== 0,
      isInSyn,
      acknowledgment: (flags & TCP_ACK) === 0 ? undefined : segment.acknowledgment,
      atNs,
    });
    if (!isNew) this.#findings.repaired.retransmitted++;
    if (half.waiting.length === 1) half.isBehindGap = !isAhead;
    half.stalledSinceNs ??= atNs;
  }

  /** Delivers waiting segments on both sides until none can proceed. */
  drain(nowNs: number): void {
    const [a, b] = this.#halves;
    while (this.#deliverFirst(a, nowNs, false) || this.#deliverFirst(b, nowNs, false));
  }

  /** Gives up gaps that have been waited for long enough, or all if `isLast`. */
  settle(nowNs: number, isLast: boolean): void {
    const [a, b] = this.#halves;
    do this.drain(nowNs);
    while (this.#giveUp(a, nowNs, isLast) || this.#giveUp(b, nowNs, isLast));
  }

  /** Gives up a gap of each direction unconditionally, because memory is short. */
  force(nowNs: number): void {
    for (const half of this.#halves) {
      const { first } = half.waiting;
      if (first === undefined || this.hasEnded) continue;
      this.#delivery.skipTo(half, first.sequence);
      this.drain(nowNs);
    }
  }

  /**
   * Notes the bytes that were acknowledged, and that the capture does not hold. If it is one byte,
   * it may be the FIN's number.
   */
  missAtEnd(nowNs: number): void {
    for (const half of this.#halves) {
      if (half.acknowledged === undefined || half.hasEnded || !this.#isOpen) continue;
      const missing = distance(half.acknowledged, half.next);
      if (missing === 1 && half.isSeen) this.#delivery.end(half, nowNs);
      else if (missing > 0) this.#delivery.miss(half, missing, "not captured");
    }
  }

  /**
   * The common case: the segment continues the stream. Its first `skipBytes` bytes are already
   * delivered.
   */
  #deliverNow(half: Half, segment: TcpSegment, skipBytes: number, hasFin: boolean): void {
    const { bytes, payloadAt, capturedBytes, payloadBytes, atNs } = segment;
    this.#delivery.bytes(half, bytes, payloadAt, capturedBytes, payloadBytes, skipBytes, atNs);
    if (hasFin) this.#delivery.end(half, atNs);
    if (this.#peer(half).waiting.length > 0) this.drain(atNs);
  }

  /** Whether the sender acknowledges bytes of its peer that were not delivered yet. */
  #mustWait(half: Half, acknowledging: { flags: number; acknowledgment: number }): boolean {
    if ((acknowledging.flags & TCP_ACK) === 0) return false;
    return this.#isUndelivered(this.#peer(half), acknowledging.acknowledgment);
  }

  #isUndelivered(peer: Half, acknowledgment: number): boolean {
    if (!peer.isSeen || !peer.isAnchored || peer.hasEnded) return false;
    const missing = distance(acknowledgment, peer.next);
    return missing > 0 && missing <= widestWindowBytes;
  }

  /** Delivers the first waiting segment of a direction, if it continues the stream. */
  #deliverFirst(half: Half, nowNs: number, isForced: boolean): boolean {
    const { first } = half.waiting;
    if (first === undefined || !this.#isOpen || this.hasEnded) return false;
    const ahead = distance(first.sequence, half.next);
    if (ahead > 0) return false;
    if (distance(endOf(first), half.next) <= 0 || half.hasEnded) {
      half.waiting.removeFirst();
      return true;
    }
    const { acknowledgment } = first;
    const mustWait =
      acknowledgment !== undefined && this.#isUndelivered(this.#peer(half), acknowledgment);
    if (mustWait && !isForced) return false;
    half.waiting.removeFirst();
    if (!half.isBehindGap) this.#findings.repaired.outOfOrder++;
    this.#deliverWaiting(half, first, -ahead, Math.max(first.atNs, nowNs));
    return true;
  }

  #deliverWaiting(half: Half, segment: Segment, skipBytes: number, atNs: number): void {
    const { bytes, lengthBytes, hasFin } = segment;
    this.#delivery.bytes(half, bytes, 0, bytes.length, lengthBytes, skipBytes, atNs);
    if (hasFin) this.#delivery.end(half, atNs);
  }

  /**
   * Gives up the obstacle before a direction's first waiting segment, if it is time. Returns
   * whether anything moved.
   */
  #giveUp(half: Half, nowNs: number, isLast: boolean): boolean {
    const { first } = half.waiting;
    if (first === undefined || !this.#isOpen || this.hasEnded) return false;
    half.stalledSinceNs ??= nowNs;
    const waitedNs = nowNs - half.stalledSinceNs;
    if (distance(first.sequence, half.next) <= 0)
      return (isLast || waitedNs >= reorderingNs) && this.#deliverFirst(half, nowNs, true);
    const isLost = half.isAcknowledged(first.sequence);
    // If acknowledgments were captured and none covers the gap, the receiver has the gap, too.
    const isUnknown = !this.#peer(half).isSeen;
    const patienceNs = isLost ? reorderingNs : retransmissionNs;
    if (isLast ? !isLost && !isUnknown : waitedNs < patienceNs) return false;
    if (!isLost && distance(first.sequence, half.next) > leapBytes) {
      this.#findings.ignored.straySegments++;
      this.#findings.ignored.strayBytes += first.lengthBytes;
      half.waiting.removeFirst();
      return true;
    }
    this.#delivery.skipTo(half, first.sequence);
    half.isBehindGap = true;
    return true;
  }

  #peer(half: Half): Half {
    return half === this.#halves[0] ? this.#halves[1] : this.#halves[0];
  }
}

/**
 * Whether the capture began with an answer, and the segment is its question, or the end of it. One
 * byte before the anchor is a keep-alive probe.
 */
function isBeforeAnchor(half: Half, { sequence, payloadBytes }: TcpSegment): boolean {
  if (!half.isAnchoredByPeer || half.offset > 0 || half.hasEnded || payloadBytes <= 1) return false;
  const ahead = distance(sequence, half.next);
  return ahead < 0 && ahead + payloadBytes >= 0;
}
