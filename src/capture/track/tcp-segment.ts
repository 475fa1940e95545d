/** A TCP segment as a capture has it. */
import type { Family } from "../../base/units.ts";

/** Meant to be used again for each segment. */
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

/** A segment to fill. */
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

/** Takes the TCP segments of a capture, one after another. */
export interface SegmentSink {
  /** A segment from one host to another; its bytes are good during the call. */
  add(
    family: Family,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    segment: TcpSegment,
  ): void;
  /** After the last one. */
  end(nowNs: number): void;
}

/** Gives segments of a capture the sequence numbers that another one has for the same connection. */
export interface Renumbering {
  /**
   * Changes the numbers of `segment`, which `capture` has from one endpoint to another. False if it is
   * no part of the connection that both ends know of.
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
