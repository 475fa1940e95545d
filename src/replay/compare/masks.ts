/** The masks of `--ignore`: parts of streams that may differ, because they vary from run to run. */
import type { ConnectionNumber } from "../../base/ids.ts";
import type { Direction } from "../../base/direction.ts";
import { nameStream } from "../findings/stream-name.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** One mask. An absent property matches everything. */
export interface Mask {
  /** The name of the sending process. */
  readonly container?: string;
  /** The server's port. */
  readonly port?: number;
  /**
   * `to server` selects what the process sends as a client, `to client` what it sends as a server.
   */
  readonly direction?: "to server" | "to client";
  /**
   * Matches the bytes as Latin-1. What it matches may differ, also in length. It sees 4 KiB before
   * the first differing byte and at most 32 KiB from there on, so `^` and `$` have no meaning.
   */
  readonly pattern: RegExp;
}

/** The range in a text of the match that covers the point where two texts differ. */
export interface Covering {
  readonly start: number;
  readonly end: number;
}

/** The patterns for what is sent in `direction` of `connection`, each with the global flag. */
export function masksFor(
  masks: readonly Mask[],
  index: RecordingIndex,
  connection: ConnectionNumber,
  direction: Direction,
): readonly RegExp[] {
  const name = nameStream(index, connection, direction);
  return masks
    .filter(
      (mask) =>
        (mask.container ?? name.process) === name.process &&
        (mask.port ?? name.serverPort) === name.serverPort &&
        (mask.direction ?? name.direction) === name.direction,
    )
    .map(({ pattern }) => globalOf(pattern));
}

/**
 * The first match of `pattern` (global) that begins at or before `point` and does not end before
 * it.
 */
export function matchCovering(pattern: RegExp, text: string, point: number): Covering | undefined {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const start = match.index;
    const end = pattern.lastIndex;
    if (start > point) return undefined;
    if (end >= point && end > start) return { start, end };
    if (end === start) pattern.lastIndex++;
  }
  return undefined;
}

function globalOf(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gy]/g, "")}g`);
}
