/** What tracking repaired, what it could not, and what it left out. */
import type { Gap } from "./half.ts";

/** So many gaps are named; the rest is counted. */
const mostGaps = 1000;

/** Counts of one import. */
export class Findings {
  readonly repaired = {
    /** Segments that were there already: sent again, or seen on two interfaces. */
    retransmitted: 0,
    /** Segments that came before their turn. */
    outOfOrder: 0,
    /** Segments of which a part was there already. */
    overlapping: 0,
    keepAlives: 0,
    /** Data in a SYN that the server did not take. */
    refusedSynData: 0,
    /** Packets that network cards were to cut: their header says that they have no length. */
    withoutLength: 0,
    defragmented: 0,
    tunnelled: 0,
    /** Packets other than TCP that two interfaces saw. */
    duplicates: 0,
    /** Payload on a RST, which no kernel delivers. */
    payloadOnReset: 0,
    /** Connections whose handshake is not in the capture. */
    withoutHandshake: 0,
    /** Urgent bytes, which stay in the stream. */
    urgent: 0,
  };
  readonly missing = {
    gaps: 0,
    bytes: 0,
    /** Connections that began before the capture and did not end in it. */
    excerpts: 0,
    /** Connections of which one direction was not captured. */
    halves: 0,
    /** Packets that do not hold a whole header. */
    cutPackets: 0,
    /** IP packets whose fragments are not all there. */
    incompleteFragments: 0,
  };
  readonly ignored = {
    /** Frames without an IP packet. */
    notIp: 0,
    /** Packets whose sender has no address yet, as in DHCP. */
    withoutSender: 0,
    /** Segments that fit no stream: far outside of the window, or behind its end. */
    strayBytes: 0,
    straySegments: 0,
    /** Connections of which only acknowledgments were captured. */
    idleConnections: 0,
  };
  readonly gaps: Gap[] = [];

  /** Notes that bytes are missing, and makes `last` longer if they follow it. */
  addGap(gap: Gap, last: Gap | undefined): Gap {
    this.missing.bytes += gap.lengthBytes;
    if (last !== undefined && last.offset + last.lengthBytes === gap.offset) {
      last.lengthBytes += gap.lengthBytes;
      return last;
    }
    this.missing.gaps++;
    if (this.gaps.length < mostGaps) this.gaps.push(gap);
    return gap;
  }

  /** Whether all that was captured could be imported whole. */
  get isComplete(): boolean {
    return Object.values(this.missing).every((count) => count === 0);
  }
}
