/**
 * Tracks one TCP connection through a capture and reports the events that its two processes saw:
 * how it began, its bytes in order (reassembly.ts), and how it ended.
 */
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../net/packet.ts";
import type { Family } from "../../base/units.ts";
import { Delivery } from "./delivery.ts";
import type { Findings } from "./findings.ts";
import type { Half } from "./half.ts";
import { Reassembly, reorderingNs } from "./reassembly.ts";
import { advanced, distance, leapBytes } from "./sequence.ts";
import type { TcpSegment } from "./tcp-segment.ts";
import type { CaptureSink, TrackedConnection } from "./sink.ts";

/** `unseen`: no event yet. `over`: reset or refused. */
type Phase = "unseen" | "connecting" | "open" | "over";

/** One of the two sides. The first packet that reveals it decides which one is the client. */
export type Side = 0 | 1;

/** What a connection needs from its tracker. */
export interface ConnectionParts {
  readonly sink: CaptureSink;
  readonly findings: Findings;
  /** Numbers the connection at its first event. */
  readonly newNumber: () => number;
  /** Whether the capture has an earlier connection on the same ports. */
  readonly hasPredecessor: boolean;
}

export class Connection implements TrackedConnection {
  readonly family: Family;
  readonly halves: readonly [Half, Half];
  number = 0;
  clientSide: Side = 0;
  lastSeenNs = 0;
  readonly #sink: CaptureSink;
  readonly #delivery: Delivery;
  readonly #reassembly: Reassembly;
  readonly #findings: Findings;
  readonly #newNumber: () => number;
  #phase: Phase = "unseen";
  #hasHandshake = false;
  /** Whether segments of an earlier connection on these ports are expected, or already counted. */
  #knowsPredecessor: boolean;
  /** A RST that the receiver may have ignored: its side and time. */
  #doubtfulReset: { readonly side: Side; readonly atNs: number } | undefined;

  constructor(family: Family, halves: readonly [Half, Half], parts: ConnectionParts) {
    this.family = family;
    this.halves = halves;
    this.#sink = parts.sink;
    this.#delivery = new Delivery(this, parts.sink, parts.findings);
    this.#reassembly = new Reassembly(halves, this.#delivery, parts.findings);
    this.#findings = parts.findings;
    this.#newNumber = parts.newNumber;
    this.#knowsPredecessor = parts.hasPredecessor;
  }

  get client(): Half {
    return this.halves[this.clientSide];
  }

  get server(): Half {
    return this.halves[otherSide(this.clientSide)];
  }

  /** Whether it was closed, reset or refused. */
  get isOver(): boolean {
    return this.#phase === "over" || this.#reassembly.hasEnded;
  }

  get heldBytes(): number {
    return this.#reassembly.heldBytes;
  }

  /** Whether something waits for time to pass. */
  get isStalled(): boolean {
    return this.#reassembly.isStalled || this.#doubtfulReset !== undefined;
  }

  /** Takes the next segment, sent by `side`. */
  add(side: Side, segment: TcpSegment): void {
    this.lastSeenNs = segment.atNs;
    const half = this.halves[side];
    half.isSeen = true;
    if (this.isOver) this.#countStray(half, segment);
    else if (this.#isOfPredecessor(side, segment)) this.#notePredecessor();
    else if ((segment.flags & TCP_RST) !== 0) this.#addReset(side, segment);
    else if ((segment.flags & TCP_SYN) !== 0) this.#addSyn(side, segment);
    else this.#addOrdinary(side, segment);
  }

  /** Gives up gaps that have been waited for long enough, or all if `isLast`. */
  settle(nowNs: number, isLast: boolean): void {
    if (this.isOver) return;
    this.#reassembly.settle(nowNs, isLast);
    const reset = this.#doubtfulReset;
    if (reset !== undefined && (isLast || nowNs - reset.atNs >= reorderingNs))
      this.#reset(reset.side, nowNs);
  }

  /** Settles the missing bytes at the end. Call it after the last segment. */
  finish(nowNs: number): void {
    this.settle(nowNs, true);
    if (this.#phase === "unseen") {
      this.#findings.ignored.idleConnections++;
      return;
    }
    this.#reassembly.missAtEnd(nowNs);
    const [a, b] = this.halves;
    if (this.#phase === "connecting") {
      this.#countUnanswered(this.client);
      return;
    }
    if (a.isSeen !== b.isSeen) this.#findings.missing.halves++;
    else if (!this.#hasHandshake && !this.isOver) this.#findings.missing.excerpts++;
  }

  /** Gives up a gap unconditionally, because memory is short. */
  force(nowNs: number): void {
    if (!this.isOver) this.#reassembly.force(nowNs);
  }

  /**
   * Whether a segment belongs to an earlier connection on the same ports, which one host still has:
   * it answers the SYN with an acknowledgment that does not fit, and the client resets that (RFC
   * 9293, section 3.5.1). Afterwards the client tries again.
   */
  #isOfPredecessor(side: Side, { flags, sequence, acknowledgment }: TcpSegment): boolean {
    const { initialSequence } = this.client;
    if (this.#phase !== "connecting" || initialSequence === undefined) return false;
    if ((flags & TCP_SYN) !== 0) return false;
    if (side === this.clientSide)
      return (flags & TCP_RST) !== 0 && !isSoonAfter(sequence, initialSequence);
    return (flags & TCP_ACK) !== 0 && !isSoonAfter(acknowledgment, initialSequence);
  }

  #notePredecessor(): void {
    if (!this.#knowsPredecessor) this.#findings.missing.predecessors++;
    this.#knowsPredecessor = true;
  }

  #addSyn(side: Side, segment: TcpSegment): void {
    const half = this.halves[side];
    const hasAck = (segment.flags & TCP_ACK) !== 0;
    if (half.initialSequence === segment.sequence) {
      this.#findings.repaired.retransmitted++;
      return;
    }
    const firstSequence = advanced(segment.sequence, 1);
    // A bare acknowledgment before the SYN, with another number, was of another connection.
    if (half.isAnchorVague && half.next !== firstSequence && half.offset === 0)
      this.#notePredecessor();
    half.initialSequence = segment.sequence;
    half.anchor(firstSequence);
    this.#hasHandshake = true;
    if (this.#phase === "unseen") {
      this.#begin(hasAck ? otherSide(side) : side, segment.atNs);
      if (hasAck) this.#findings.repaired.withoutHandshake++;
    }
    if (hasAck) this.#noteAcknowledgment(this.halves[otherSide(side)], segment.acknowledgment);
    // In a simultaneous open, the client's SYN-ACK answers the server's SYN.
    if (this.#phase === "connecting" && half === this.server) this.#accept(segment.atNs);
    if (segment.payloadBytes > 0) this.#reassembly.hold(half, segment, firstSequence, true);
    this.#reassembly.drain(segment.atNs);
  }

  #addOrdinary(side: Side, segment: TcpSegment): void {
    const half = this.halves[side];
    const { payloadBytes, sequence, flags } = segment;
    const isBare = payloadBytes === 0 && (flags & TCP_FIN) === 0;
    if ((flags & TCP_ACK) !== 0)
      this.#noteAcknowledgment(this.halves[otherSide(side)], segment.acknowledgment);
    if (!half.isAnchored) half.anchor(sequence, isBare);
    else if (half.isAnchorVague && !isBare && distance(sequence, half.next) === 1)
      half.anchor(sequence);
    if (this.#phase === "connecting") this.#accept(segment.atNs);
    if (isBare) {
      if (distance(sequence, half.next) === -1) this.#findings.repaired.keepAlives++;
    } else {
      if (this.#phase === "unseen") this.#beginWithoutHandshake(segment.atNs);
      if (segment.isUrgent) this.#findings.repaired.urgent++;
      const reception = this.#reassembly.add(half, segment);
      if (reception === "stray") return;
      if (reception === "new") this.#doubtfulReset = undefined;
    }
    if (this.isStalled) this.settle(segment.atNs, false);
  }

  #addReset(side: Side, segment: TcpSegment): void {
    if (segment.payloadBytes > 0) this.#findings.repaired.payloadOnReset++;
    const half = this.halves[side];
    if (this.#phase === "unseen") return;
    if (this.#phase === "connecting") {
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
    this.#phase = "over";
    if (half === this.server) this.#sink.refuse(this, atNs);
    else this.#sink.reset(this, true, 0, atNs);
  }

  #reset(side: Side, atNs: number): void {
    this.#doubtfulReset = undefined;
    this.#reassembly.settle(atNs, true);
    this.#reassembly.missAtEnd(atNs);
    // A waiting segment may have ended it.
    if (this.isOver) return;
    this.#phase = "over";
    this.#reassembly.stop();
    this.#delivery.reset(this.halves[side], atNs);
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
    this.#phase = "connecting";
    this.#sink.connect(this, atNs);
  }

  #accept(atNs: number): void {
    this.#phase = "open";
    this.#sink.accept(this, atNs);
    this.#reassembly.open(atNs);
  }

  #beginWithoutHandshake(atNs: number): void {
    this.#findings.repaired.withoutHandshake++;
    const [a, b] = this.halves;
    // The lower port is the server's, because ephemeral ports are high.
    this.#begin(a.port < b.port ? 1 : 0, atNs);
    this.#accept(atNs);
  }

  /** Counts data in a SYN that nobody answered. */
  #countUnanswered({ waiting }: Half): void {
    if (waiting.first === undefined) return;
    this.#findings.ignored.straySegments++;
    this.#findings.ignored.strayBytes += waiting.first.lengthBytes;
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
}

function otherSide(side: Side): Side {
  return side === 0 ? 1 : 0;
}

/** Whether `sequence` lies where a connection that begins with `initialSequence` may have got. */
function isSoonAfter(sequence: number, initialSequence: number): boolean {
  const ahead = distance(sequence, initialSequence);
  return ahead >= 0 && ahead <= leapBytes;
}
