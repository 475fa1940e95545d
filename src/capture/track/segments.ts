/**
 * Segments that arrived early, in the order in which the receiving kernel would read them.
 *
 * Linux (tcp_data_queue_ofo in net/ipv4/tcp_input.c) keeps them sorted by sequence number, drops a
 * segment whose bytes it already holds, and reads them from front to back. So delivered bytes are
 * final. If waiting segments overlap with different bytes, the one that begins first wins, and of
 * two that begin together, the longer one. A repeated segment changes nothing: the first copy wins.
 */
import { advanced, distance } from "./sequence.ts";

/** A waiting segment. */
export interface Segment {
  readonly sequence: number;
  /** Its bytes on the wire; `bytes` has fewer if the capture truncated them. */
  readonly lengthBytes: number;
  readonly bytes: Uint8Array;
  readonly hasFin: boolean;
  /** It came with the SYN, and the peer's answer shows whether it was accepted. */
  readonly isInSyn: boolean;
  /** The sender's acknowledgment number, if there was one. */
  readonly acknowledgment: number | undefined;
  readonly atNs: number;
}

/** The end of a segment in sequence space; a FIN counts one. */
export function endOf({ sequence, lengthBytes, hasFin }: Segment): number {
  return advanced(sequence, lengthBytes + (hasFin ? 1 : 0));
}

/** Waiting segments of one direction. */
export class SegmentQueue {
  readonly #segments: Segment[] = [];
  heldBytes = 0;

  get length(): number {
    return this.#segments.length;
  }

  get first(): Segment | undefined {
    return this.#segments[0];
  }

  /** The end of the last waiting segment, or undefined. */
  get end(): number | undefined {
    const last = this.#segments.at(-1);
    return last === undefined ? undefined : endOf(last);
  }

  /** Adds a segment. Returns false if all of it is already waiting. */
  add(segment: Segment): boolean {
    if (this.#holds(segment)) return false;
    let at = this.#segments.length;
    while (at > 0 && isBefore(segment, this.#segments[at - 1] as Segment)) at--;
    this.#segments.splice(at, 0, segment);
    this.heldBytes += segment.bytes.length;
    return true;
  }

  removeFirst(): void {
    const first = this.#segments.shift();
    this.heldBytes -= first?.bytes.length ?? 0;
  }

  /** Removes data that came with a SYN and was not accepted. */
  removeInSyn(): boolean {
    if (this.first?.isInSyn !== true) return false;
    this.removeFirst();
    return true;
  }

  /** Whether the waiting segments have all bytes of `segment`, and its FIN if it has one. */
  #holds(segment: Segment): boolean {
    const end = endOf(segment);
    let reached = segment.sequence;
    for (const one of this.#segments) {
      if (distance(one.sequence, reached) > 0) return false;
      const oneEnd = endOf(one);
      // Truncated bytes are not held; a longer copy may come.
      if (one.bytes.length < one.lengthBytes) continue;
      if (distance(oneEnd, reached) > 0) reached = oneEnd;
      if (distance(reached, end) >= 0) return true;
    }
    return false;
  }
}

function isBefore(a: Segment, b: Segment): boolean {
  const gap = distance(a.sequence, b.sequence);
  return gap < 0 || (gap === 0 && distance(endOf(a), endOf(b)) > 0);
}
