/**
 * Segments that came before their turn, in the order in which the receiving kernel would read them.
 *
 * Linux (tcp_data_queue_ofo in net/ipv4/tcp_input.c) keeps them sorted by sequence number, drops a
 * segment whose bytes it holds already, and reads them from front to back. So bytes that were delivered
 * always stand, and where waiting segments overlap with different bytes, the one that begins first wins;
 * of two that begin together, the longer one. The same segment sent again changes nothing: first copy
 * wins.
 */
import { advanced, distance } from "./sequence.ts";

/** A segment that waits. */
export interface Segment {
  readonly sequence: number;
  /** How many bytes it had on the wire; `bytes` has fewer if the capture cut them off. */
  readonly lengthBytes: number;
  readonly bytes: Uint8Array;
  readonly hasFin: boolean;
  /** Came with the SYN: the peer's answer says whether it was taken. */
  readonly isInSyn: boolean;
  /** What its sender had received by then, if it said so. */
  readonly acknowledgment: number | undefined;
  readonly atNs: number;
}

/** Where a segment ends in sequence space: a FIN counts one. */
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

  /** Where the last waiting segment ends, or undefined. */
  get end(): number | undefined {
    const last = this.#segments.at(-1);
    return last === undefined ? undefined : endOf(last);
  }

  /** Takes a segment. False if all of it waits already. */
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

  /** Forgets what came with a SYN and was not taken. */
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
      // What was cut off is not held, and a longer copy may come.
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
