/** One direction of a tracked connection: the bytes that one host sends. */
import type { TrackedEnd } from "./sink.ts";
import { SegmentQueue } from "./segments.ts";
import { advanced, distance, leapBytes } from "./sequence.ts";

/** Bytes of a stream that the capture lacks. */
export interface Gap {
  readonly connection: number;
  readonly client: TrackedEnd;
  readonly server: TrackedEnd;
  /** Whether the client sent the missing bytes. */
  readonly isFromClient: boolean;
  /** The offset in the stream; 0 is the first byte that the capture knows of. */
  readonly offset: number;
  lengthBytes: number;
  readonly reason: "not captured" | "cut off by the snapshot length";
}

export class Half {
  readonly host: number;
  readonly port: number;
  /** Whether the capture has a packet in this direction. */
  isSeen = false;
  /** Whether `next` is valid. */
  isAnchored = false;
  /**
   * The anchor comes from a bare acknowledgment, whose number is one too low in a keep-alive probe.
   */
  isAnchorVague = false;
  /** The anchor comes from the peer's acknowledgment, so earlier bytes may still be captured. */
  isAnchoredByPeer = false;
  initialSequence: number | undefined;
  /** The sequence number of the next byte to deliver. */
  next = 0;
  /** The number of stream bytes before it, including missing ones. */
  offset = 0;
  /** Missing bytes that no event has reported yet. */
  missingBytes = 0;
  /** The peer's highest acknowledgment. */
  acknowledged: number | undefined;
  hasEnded = false;
  readonly waiting: SegmentQueue = new SegmentQueue();
  /** Whether segments wait behind an abandoned gap, rather than because they arrived early. */
  isBehindGap = false;
  /** The time since which the first waiting segment is undeliverable. */
  stalledSinceNs: number | undefined;
  /** The last gap, which may still grow. */
  gap: Gap | undefined;

  #doubtfulAcknowledgment: number | undefined;

  constructor(host: number, port: number) {
    this.host = host;
    this.port = port;
  }

  /** Starts the stream at `sequence`, unless bytes of it were already delivered. */
  anchor(sequence: number, isVague = false): void {
    if (this.offset > 0 || this.hasEnded) return;
    this.next = sequence;
    this.isAnchored = true;
    this.isAnchorVague = isVague;
    this.isAnchoredByPeer = false;
  }

  /** Notes that the peer has received everything before `acknowledgment`. */
  noteAcknowledged(acknowledgment: number): void {
    if (!this.isAnchored) {
      this.anchor(acknowledgment);
      this.isAnchoredByPeer = true;
    }
    const known = this.acknowledged;
    const from = known !== undefined && distance(known, this.next) > 0 ? known : this.next;
    const ahead = distance(acknowledgment, from);
    // A large leap needs confirmation by a second acknowledgment, because one packet may be
    // damaged.
    const doubtful = this.#doubtfulAcknowledgment;
    const isLeap = Math.abs(ahead) > leapBytes;
    this.#doubtfulAcknowledgment = isLeap ? acknowledgment : undefined;
    if (
      isLeap &&
      (doubtful === undefined || Math.abs(distance(acknowledgment, doubtful)) > leapBytes)
    )
      return;
    if (known === undefined || distance(acknowledgment, known) > 0)
      this.acknowledged = acknowledgment;
  }

  /** Whether the peer acknowledged everything before `sequence`. */
  isAcknowledged(sequence: number): boolean {
    return this.acknowledged !== undefined && distance(this.acknowledged, sequence) >= 0;
  }

  /** Advances by delivered bytes. */
  deliver(lengthBytes: number): void {
    this.next = advanced(this.next, lengthBytes);
    this.offset += lengthBytes;
    this.stalledSinceNs = undefined;
  }

  end(): void {
    this.hasEnded = true;
    this.next = advanced(this.next, 1);
    this.stalledSinceNs = undefined;
  }
}
