/** One direction of a tracked connection: what one of its hosts sends. */
import type { TrackedEnd } from "./sink.ts";
import { SegmentQueue } from "./segments.ts";
import { advanced, distance, leapBytes } from "./sequence.ts";

/** Bytes that a stream has and the capture does not. */
export interface Gap {
  readonly connection: number;
  readonly client: TrackedEnd;
  readonly server: TrackedEnd;
  /** Whether the client sends what is missing. */
  readonly isFromClient: boolean;
  /** In the stream, from 0: the first byte that the capture knows of. */
  readonly offset: number;
  lengthBytes: number;
  readonly reason: "not captured" | "cut off by the snapshot length";
}

export class Half {
  readonly host: number;
  readonly port: number;
  /** Whether a packet of it was captured. */
  isSeen = false;
  /** Whether `next` means something. */
  isAnchored = false;
  /** The anchor is a bare acknowledgment's number, which a keep-alive probe sets one too low. */
  isAnchorVague = false;
  initialSequence: number | undefined;
  /** The sequence number of the next byte to deliver. */
  next = 0;
  /** How many bytes come before it in the stream, missing ones included. */
  offset = 0;
  /** Missing bytes that no event has mentioned yet. */
  missingBytes = 0;
  /** The furthest that the peer has acknowledged. */
  acknowledged: number | undefined;
  hasEnded = false;
  readonly waiting: SegmentQueue = new SegmentQueue();
  /** What waits does so behind a hole that was given up, not because it came too soon. */
  isBehindGap = false;
  /** Since when the first waiting segment cannot be delivered. */
  stalledSinceNs: number | undefined;
  /** The last gap, to be made longer. */
  gap: Gap | undefined;

  #doubtfulAcknowledgment: number | undefined;

  constructor(host: number, port: number) {
    this.host = host;
    this.port = port;
  }

  /** Begins the stream at `sequence`, unless something of it was delivered already. */
  anchor(sequence: number, isVague = false): void {
    if (this.offset > 0 || this.hasEnded) return;
    this.next = sequence;
    this.isAnchored = true;
    this.isAnchorVague = isVague;
  }

  /** Notes that the peer has received everything before `acknowledgment`. */
  noteAcknowledged(acknowledgment: number): void {
    if (!this.isAnchored) this.anchor(acknowledgment);
    const known = this.acknowledged;
    const from = known !== undefined && distance(known, this.next) > 0 ? known : this.next;
    const ahead = distance(acknowledgment, from);
    // A leap is believed when another acknowledgment confirms it: one packet may be damaged.
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

  /** Moves on by bytes that were delivered. */
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
