/** A TCP segment in a capture. */
import type { Family } from "../../base/units.ts";

/** Reuse one object for all segments. */
export interface TcpSegment {
  flags: number;
  sequence: number;
  acknowledgment: number;
  /** Its payload: `bytes[payloadAt..payloadAt+capturedBytes)`, of `payloadBytes` on the wire. */
  bytes: Uint8Array;
  payloadAt: number;
  capturedBytes: number;
  payloadBytes: number;
  isUrgent: boolean;
  atNs: number;
}

/** Creates a segment to fill. */
export function emptySegment(): TcpSegment {
  return {
    flags: 0,
    sequence: 0,
    acknowledgment: 0,
    bytes: new Uint8Array(0),
    payloadAt: 0,
    capturedBytes: 0,
    payloadBytes: 0,
    isUrgent: false,
    atNs: 0,
  };
}

/** Takes the TCP segments of a capture, one by one. */
export interface SegmentSink {
  /** Takes a segment from one host to another. Its bytes are valid during the call. */
  add(
    family: Family,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    segment: TcpSegment,
  ): void;
  /** Call it after the last segment. */
  end(nowNs: number): void;
}

/** Renumbers the segments of one capture to match another capture of the same connection. */
export interface Renumbering {
  /**
   * Changes the numbers of `segment`, which `capture` saw between these endpoints. Returns false if
   * the segment belongs to an attempt that is left out.
   */
  apply(
    capture: number,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    segment: TcpSegment,
  ): boolean;
}
