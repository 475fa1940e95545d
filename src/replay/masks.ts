/** `--ignore`: parts of streams that may differ, because they differ from run to run. */
import type { Direction } from "../dump/schema.ts";
import type { RecordingIndex } from "./recording.ts";

/** One mask. What is absent applies to all. */
export interface Mask {
  /** The name of the process that sends. */
  readonly container?: string;
  /** The server's port. */
  readonly port?: number;
  /** Whether the process sends as the server or as the client: `out` of a client is `to server`. */
  readonly direction?: "to server" | "to client";
  /** Over the bytes as Latin-1. What it matches may differ, also in length. */
  readonly pattern: RegExp;
}

/** The patterns that apply to what is sent in `direction` of `connection`. */
export function masksFor(
  _masks: readonly Mask[],
  _index: RecordingIndex,
  _connection: number,
  _direction: Direction,
): readonly RegExp[] {
  return [];
}
