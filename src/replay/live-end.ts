/**
 * One live connection of a live process: the kernel socket that plays its peer, the comparison of what it
 * sends, and what of the recording could not be sent to it yet.
 */
import type { Direction } from "../dump/schema.ts";
import type { End } from "../pipe/end.ts";
import type { StreamComparison } from "./compare.ts";
import type { PendingMatch } from "./matching.ts";

export class LiveEnd {
  readonly end: End;
  /** The live process. */
  readonly container: number;
  /** The direction that the process sends in. */
  readonly direction: Direction;
  /** The recorded connection's number; 0 while it is not known which one it is. */
  connection = 0;
  comparison: StreamComparison | undefined;
  pending: PendingMatch | undefined;
  /** What the process sent while it was not known which connection it is. */
  early: Uint8Array[] = [];
  /** The process ended its direction, or reset the connection, before it was known which one it is. */
  earlyEnd: "end" | "reset" | undefined;
  /** An event whose bytes wait for those before them to be taken; -1 for none. */
  held = -1;
  /** How many bytes the process has sent since it was identified. */
  received = 0;
  /** The process said FIN. */
  ended = false;
  /** The recording's FIN was said to the process. */
  shutDown = false;
  /** The socket is closed. */
  gone = false;

  constructor(end: End, container: number, direction: Direction) {
    this.end = end;
    this.container = container;
    this.direction = direction;
  }
}
