/** `--ignore`: parts of streams that may differ, because they differ from run to run. */
import type { Direction } from "../../base/direction.ts";
import { nameStream } from "../findings/differences.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** One mask. What is absent applies to all. */
export interface Mask {
  /** The name of the process that sends. */
  readonly container?: string;
  /** The server's port. */
  readonly port?: number;
  /** What the process sends as the client (`to server`), or as the server. */
  readonly direction?: "to server" | "to client";
  /**
   * Over the bytes as Latin-1. What it matches may differ, also in length. It sees 4 KiB before the first
   * byte that differs and at most 32 KiB from there on, so `^` and `$` have no meaning.
   */
  readonly pattern: RegExp;
}

/** A mask's place in a text: of the match that covers the point where two texts part. */
export interface Covering {
  readonly start: number;
  readonly end: number;
}

/** The patterns that apply to what is sent in `direction` of `connection`, each of them global. */
export function masksFor(
  masks: readonly Mask[],
  index: RecordingIndex,
  connection: number,
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

/** The first match of `pattern` (global) that begins before or at `point` and does not end before it. */
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
