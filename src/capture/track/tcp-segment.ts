/** A TCP segment as a capture has it. */

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
