/**
 * Tracks one TCP connection through a capture and reports the events that its two processes saw.
 *
 * A capture differs from a process's view: packets are lost and retransmitted, are duplicated or
 * reordered, and the capture itself may lack some. Three rules restore the order:
 *
 * - A byte is delivered once, in sequence, as the receiving kernel would deliver it (segments.ts).
 * - A host's bytes are delivered after all the bytes that the host acknowledges with them. So no
 *   answer precedes its question, even if the capture has them in the wrong order.
 * - Missing bytes are waited for, but not forever. Once the peer has acknowledged them and {@link
 *   reorderingNs} have passed, the capture lacks them: they are a gap.
 */
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../net/packet.ts";
import type { Family } from "../../base/units.ts";
import { Delivery } from "./delivery.ts";
import type { Findings } from "./findings.ts";
import type { Half } from "./half.ts";
import { endOf, type Segment } from "./segments.ts";
import { advanced, distance, leapBytes, widestWindowBytes } from "./sequence.ts";
import type { TcpSegment } from "./tcp-segment.ts";
import type { CaptureSink, TrackedConnection } from "./sink.ts";

/**
 * The longest time by which a capture may reorder packets, with several queues of a network card.
 */
export const reorderingNs = 100e6;
/** The time in which a segment may be retransmitted, if no acknowledgment shows that it arrived. */
export const retransmissionNs = 10e9;

/** `unseen`: no event yet. `over`: closed, reset or refused. */
type Phase = "unseen" | "connecting" | "open" | "over";

/** One of the two sides. The first packet that reveals it decides which one is the client. */
export type Side = 0 | 1;

export class Connection implements TrackedConnection {
  readonly family: Family;
  readonly halves: readonly [Half, Half];
  number = 0;
  phase: Phase = "unseen";
  clientSide: Side = 0;
  lastSeenNs = 0;
  readonly #sink: CaptureSink;
  readonly #delivery: Delivery;
  readonly #findings: Findings;
  readonly #newNumber: () => number;
  #hasHandshake = false;
  /** A RST that the receiver may have ignored: its side and time. */
  #doubtfulReset: { readonly side: Side; readonly atNs: number } | undefined;

  /** `newNumber` numbers the connection at its first event. */
  constructor(
    family: Family,
    halves: readonly [Half, Half],
    sink: CaptureSink,
    findings: Findings,
    newNumber: () => number,
  ) {
    this.family = family;
    this.halves = halves;
    this.#sink = sink;
    this.#delivery = new Delivery(this, sink, findings);
    this.#findings = findings;
    this.#newNumber = newNumber;
  }

  get client(): Half {
    return this.halves[this.clientSide];
  }

  get server(): Half {
    return this.halves[this.clientSide === 0 ? 1 : 0];
  }

  get isOver(): boolean {
    return this.phase === "over";
  }

  get heldBytes(): number {
    return this.halves[0].waiting.heldBytes + this.halves[1].waiting.heldBytes;
  }

  get isStalled(): boolean {
    const [a, b] = this.halves;
    return a.waiting.length > 0 || b.waiting.length > 0 || this.#doubtfulReset !== undefined;
  }

  /** Takes the next segment, sent by `side`. */
  add(side: Side, segment: TcpSegment): void {
    this.lastSeenNs = segment.atNs;
    const half = this.halves[side];
    half.isSeen = true;
    if (this.phase === "over") this.#countStray(half, segment);
    else if ((segment.flags & TCP_RST) !== 0) this.#addReset(side, segment);
    else if ((segment.flags & TCP_SYN) !== 0) this.#addSyn(side, segment);
    else this.#addOrdinary(side, segment);
  }

  /** Gives up gaps that have been waited for long enough, or all if `isLast`. */
  settle(nowNs: number, isLast: boolean): void {
    if (this.isOver) return;
    do this.#drain(nowNs);
    while (this.#giveUp(0, nowNs, isLast) || this.#giveUp(1, nowNs, isLast));
    const reset = this.#doubtfulReset;
    if (reset !== undefined && (isLast || nowNs - reset.atNs >= reorderingNs))
      this.#reset(reset.side, nowNs);
  }

  /** Settles the missing bytes at the end. Call it after the last segment. */
  finish(nowNs: number): void {
    this.settle(nowNs, true);
    if (this.phase === "unseen") {
      this.#findings.ignored.idleConnections++;
      return;
    }
    for (const half of this.halves) this.#missAtEnd(half, nowNs);
    const [a, b] = this.halves;
    if (this.phase === "connecting") return;
    if (a.isSeen !== b.isSeen) this.#findings.missing.halves++;
    else if (!this.#hasHandshake && this.phase !== "over") this.#findings.missing.excerpts++;
  }

  /** Gives up a gap unconditionally, because memory is short. */
  force(nowNs: number): void {
    for (const half of this.halves) {
      const { first } = half.waiting;
      if (first === undefined || this.phase === "over") continue;
      this.#delivery.skipTo(half, first.sequence);
      this.#drain(nowNs);
    }
  }

  #addSyn(side: Side, segment: TcpSegment): void {
    const half = this.halves[side];
    const peer = this.#peer(half);
    const hasAck = (segment.flags & TCP_ACK) !== 0;
    if (half.initialSequence === segment.sequence) {
      this.#findings.repaired.retransmitted++;
      return;
    }
    half.initialSequence = segment.sequence;
    half.anchor(advanced(segment.sequence, 1));
    this.#hasHandshake = true;
    if (this.phase === "unseen") {
      this.#begin(hasAck ? this.#otherSide(side) : side, segment.atNs);
      if (hasAck) this.#findings.repaired.withoutHandshake++;
    }
    if (hasAck) this.#noteAcknowledgment(peer, segment.acknowledgment);
    // In a simultaneous open, the client's SYN-ACK answers the server's SYN.
    if (this.phase === "connecting" && half === this.server) this.#accept(segment.atNs);
    if (segment.payloadBytes > 0) this.#wait(half, segment, advanced(segment.sequence, 1), true);
    this.#drain(segment.atNs);
  }

  #addOrdinary(side: Side, segment: TcpSegment): void {
    const half = this.halves[side];
    const peer = this.#peer(half);
    const { payloadBytes, sequence, flags } = segment;
    const hasFin = (flags & TCP_FIN) !== 0;
    const isBare = payloadBytes === 0 && !hasFin;
    if ((flags & TCP_ACK) !== 0) this.#noteAcknowledgment(peer, segment.acknowledgment);
    if (!half.isAnchored) half.anchor(sequence, isBare);
    else if (half.isAnchorVague && !isBare && distance(sequence, half.next) === 1)
      half.anchor(sequence);
    if (this.phase === "connecting") this.#accept(segment.atNs);
    if (isBare) {
      if (distance(sequence, half.next) === -1) this.#findings.repaired.keepAlives++;
      if (this.isStalled) this.settle(segment.atNs, false);
      return;
    }
    if (this.phase === "unseen") this.#beginWithoutHandshake(segment.atNs);
    if (segment.isUrgent) this.#findings.repaired.urgent++;
    this.#addPayload(half, peer, segment, hasFin);
  }

  #addPayload(half: Half, peer: Half, segment: TcpSegment, hasFin: boolean): void {
    const { sequence, payloadBytes, atNs } = segment;
    const ahead = distance(sequence, half.next);
    const newBytes = distance(advanced(sequence, payloadBytes + (hasFin ? 1 : 0)), half.next);
    if (newBytes <= 0) {
      if (payloadBytes <= 1 && ahead === -1) this.#findings.repaired.keepAlives++;
      else this.#findings.repaired.retransmitted++;
    } else if (half.hasEnded || ahead > widestWindowBytes) {
      this.#findings.ignored.straySegments++;
      this.#findings.ignored.strayBytes += payloadBytes;
      return;
    } else {
      this.#doubtfulReset = undefined;
      if (ahead < 0) this.#findings.repaired.overlapping++;
      const isNext = ahead <= 0 && half.waiting.length === 0;
      if (isNext && !this.#mustWait(peer, segment)) this.#deliverNow(half, segment, -ahead, hasFin);
      else this.#wait(half, segment, sequence, false);
    }
    if (this.isStalled) this.settle(atNs, false);
  }

  /**
   * The common case: the segment continues the stream. Its first `skipBytes` bytes are already
   * delivered.
   */
  #deliverNow(half: Half, segment: TcpSegment, skipBytes: number, hasFin: boolean): void {
    const { bytes, payloadAt, capturedBytes, payloadBytes, atNs } = segment;
    this.#delivery.bytes(half, bytes, payloadAt, capturedBytes, payloadBytes, skipBytes, atNs);
    if (hasFin) this.#end(half, atNs);
    if (this.#peer(half).waiting.length > 0) this.#drain(atNs);
  }

  #wait(half: Half, segment: TcpSegment, sequence: number, isInSyn: boolean): void {
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

  /** Whether the sender has acknowledged bytes of its peer that were not delivered yet. */
  #mustWait(peer: Half, acknowledging: { flags: number; acknowledgment: number }): boolean {
    if ((acknowledging.flags & TCP_ACK) === 0) return false;
    return this.#isUndelivered(peer, acknowledging.acknowledgment);
  }

  #isUndelivered(peer: Half, acknowledgment: number): boolean {
    if (!peer.isSeen || !peer.isAnchored || peer.hasEnded) return false;
    const missing = distance(acknowledgment, peer.next);
    return missing > 0 && missing <= widestWindowBytes;
  }

  /** Delivers waiting segments on both sides until none can proceed. */
  #drain(nowNs: number): void {
    if (this.phase !== "open") return;
    while (this.#deliverFirst(0, nowNs, false) || this.#deliverFirst(1, nowNs, false));
  }

  /** Delivers the first waiting segment of a side, if it continues the stream. */
  #deliverFirst(side: Side, nowNs: number, isForced: boolean): boolean {
    const half = this.halves[side];
    const { first } = half.waiting;
    if (first === undefined || this.phase !== "open") return false;
    const ahead = distance(first.sequence, half.next);
    if (ahead > 0) return false;
    const isOld = distance(endOf(first), half.next) <= 0 || half.hasEnded;
    if (isOld) {
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
    if (hasFin) this.#end(half, atNs);
  }

  #end(half: Half, atNs: number): void {
    if (half.hasEnded) return;
    this.#delivery.end(half, atNs);
    if (this.#peer(half).hasEnded) this.phase = "over";
  }

  /**
   * Gives up the obstacle before a side's first waiting segment, if it is time. Returns whether
   * anything moved.
   */
  #giveUp(side: Side, nowNs: number, isLast: boolean): boolean {
    const half = this.halves[side];
    const peer = this.#peer(half);
    const { first } = half.waiting;
    if (first === undefined || this.phase !== "open") return false;
    half.stalledSinceNs ??= nowNs;
    const waitedNs = nowNs - half.stalledSinceNs;
    if (distance(first.sequence, half.next) <= 0)
      return (isLast || waitedNs >= reorderingNs) && this.#deliverFirst(side, nowNs, true);
    const isLost = half.isAcknowledged(first.sequence);
    // If acknowledgments were captured and none covers the gap, the receiver has the gap, too.
    const isUnknown = !peer.isSeen;
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

  /**
   * The peer acknowledged more than the capture holds. If it is one byte, it may be the FIN's
   * number.
   */
  #missAtEnd(half: Half, nowNs: number): void {
    if (half.acknowledged === undefined || half.hasEnded || this.phase === "connecting") return;
    const missing = distance(half.acknowledged, half.next);
    if (missing === 1 && this.phase === "open" && half.isSeen) this.#end(half, nowNs);
    else if (missing > 0) this.#delivery.miss(half, missing, "not captured");
  }

  #addReset(side: Side, segment: TcpSegment): void {
    if (segment.payloadBytes > 0) this.#findings.repaired.payloadOnReset++;
    const half = this.halves[side];
    if (this.phase === "unseen") return;
    if (this.phase === "connecting") {
      this.#endAttempt(half, segment.atNs);
      return;
    }
    // RFC 5961: a RST counts if its number is exactly the next one; otherwise it may be forged or
    // stale.
    if (segment.sequence === half.next && half.waiting.length === 0)
      this.#reset(side, segment.atNs);
    else this.#doubtfulReset ??= { side, atNs: segment.atNs };
  }

  #endAttempt(half: Half, atNs: number): void {
    this.phase = "over";
    if (half === this.server) this.#sink.refuse(this, atNs);
    else this.#sink.reset(this, true, 0, atNs);
  }

  #reset(side: Side, atNs: number): void {
    const half = this.halves[side];
    this.#doubtfulReset = undefined;
    this.settle(atNs, true);
    for (const one of this.halves) this.#missAtEnd(one, atNs);
    // A waiting segment may have ended it.
    if (this.phase === "over") return;
    this.phase = "over";
    this.#delivery.reset(half, atNs);
  }

  #noteAcknowledgment(half: Half, acknowledgment: number): void {
    const isFirst = half.acknowledged === undefined && half.initialSequence !== undefined;
    half.noteAcknowledged(acknowledgment);
    // A server that acknowledges only the SYN did not accept the data in it.
    if (isFirst && half.next === acknowledgment && half.waiting.removeInSyn())
      this.#findings.repaired.refusedSynData++;
  }

  #begin(client: Side, atNs: number): void {
    this.clientSide = client;
    this.number = this.#newNumber();
    this.phase = "connecting";
    this.#sink.connect(this, atNs);
  }

  #accept(atNs: number): void {
    this.phase = "open";
    this.#sink.accept(this, atNs);
    this.#drain(atNs);
  }

  #beginWithoutHandshake(atNs: number): void {
    this.#findings.repaired.withoutHandshake++;
    const [a, b] = this.halves;
    // The lower port is the server's, because ephemeral ports are high.
    this.#begin(a.port < b.port ? 1 : 0, atNs);
    this.#accept(atNs);
  }

  #countStray(half: Half, { payloadBytes, sequence, flags }: TcpSegment): void {
    if ((flags & TCP_RST) !== 0 && payloadBytes > 0) this.#findings.repaired.payloadOnReset++;
    if (payloadBytes === 0 || (flags & (TCP_SYN | TCP_RST)) !== 0) return;
    if (distance(advanced(sequence, payloadBytes), half.next) <= 0) {
      this.#findings.repaired.retransmitted++;
      return;
    }
    this.#findings.ignored.straySegments++;
    this.#findings.ignored.strayBytes += payloadBytes;
  }

  #otherSide(side: Side): Side {
    return side === 0 ? 1 : 0;
  }

  #peer(half: Half): Half {
    return half === this.halves[0] ? this.halves[1] : this.halves[0];
  }
}
