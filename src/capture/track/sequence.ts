/** TCP sequence numbers: 32 bits that wrap (RFC 9293 section 3.4), kept as signed integers. */

/** How far `a` lies behind `b`: negative if before it. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** `sequence` moved by `bytes`. */
export function advanced(sequence: number, bytes: number): number {
  return (sequence + bytes) | 0;
}

/** RFC 7323: no window is wider than this. What lies further ahead is no part of the stream. */
export const widestWindowBytes: number = 1 << 30;
/** What lies further ahead than this is doubted until something confirms it: few windows are wider. */
export const leapBytes: number = 1 << 24;
