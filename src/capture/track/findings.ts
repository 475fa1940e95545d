/** The findings of an import: repaired, missing and ignored parts. */
import type { Gap } from "./half.ts";

/** The most gaps listed; the rest are counted. */
const mostGaps = 1000;

/** Counts of one import. */
export class Findings {
  readonly repaired = {
    /** Segments that had been seen: retransmitted, or captured on two interfaces. */
    retransmitted: 0,
    /** Segments that arrived early. */
    outOfOrder: 0,
    /** Segments that overlap earlier ones in part. */
    overlapping: 0,
    keepAlives: 0,
    /** Data in a SYN that the server did not accept. */
    refusedSynData: 0,
    /** Packets for network cards to segment, whose header gives no length. */
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
    /** Earlier connections on the ports of another one, which still got or sent something. */
    predecessors: 0,
    /** Connections with only one captured direction. */
    halves: 0,
    /** Frames of a link type that plg cannot read. */
    unreadableFrames: 0,
    /** Packets without a complete header. */
    cutPackets: 0,
    /** IP packets with missing fragments. */
    incompleteFragments: 0,
  };
  readonly ignored = {
    /** Frames without an IP packet. */
    notIp: 0,
    /** Packets whose sender has no address yet, as in DHCP. */
    withoutSender: 0,
    /** Segments that fit no stream: far outside the window, or beyond its end. */
    strayBytes: 0,
    straySegments: 0,
    /** Connections with only acknowledgments in the capture. */
    idleConnections: 0,
  };
  readonly gaps: Gap[] = [];
  /** The link types of `unreadableFrames`, by number. */
  readonly unreadableLinkTypes: Set<number> = new Set<number>();

  /** Notes missing bytes, and extends `last` if they follow it. */
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

  /** Whether the import is complete. */
  get isComplete(): boolean {
    return Object.values(this.missing).every((count) => count === 0);
  }
}
