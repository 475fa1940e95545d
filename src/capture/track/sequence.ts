/** TCP sequence numbers: 32 bits that wrap (RFC 9293 section 3.4), kept as signed integers. */

/** The distance from `b` to `a`; negative if `a` comes first. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** `sequence` moved by `bytes`. */
export function advanced(sequence: number, bytes: number): number {
  return (sequence + bytes) | 0;
}

/** RFC 7323: the widest window. Anything further ahead does not belong to the stream. */
export const widestWindowBytes: number = 1 << 30;
/** Anything further ahead needs confirmation, because few windows are wider. */
export const leapBytes: number = 1 << 24;
