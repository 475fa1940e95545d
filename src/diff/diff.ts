/**
 * Compares two recordings, connection by connection, as a replay compares a process with its
 * recording.
 */
import { Direction } from "../base/direction.ts";
import type { Family } from "../base/units.ts";
import { RecordKind } from "../dump/format/schema.ts";
import { RecordedStream } from "../recording/recorded-stream.ts";
import type { EqualBytes } from "../replay/compare/compare.ts";
import { comparisonFor } from "../replay/compare/comparison.ts";
import type { Mask } from "../replay/compare/masks.ts";
import type { Difference, StreamName } from "../replay/findings/differences.ts";
import { nameStream } from "../replay/findings/stream-name.ts";
import { type DiffSide, pairConnections } from "./pairing.ts";

/** A connection that only one recording has. */
export type UnpairedConnection = StreamName & { readonly family: Family };

/** What two recordings do not have in common. */
export interface RecordingDiff {
  /** Of each stream the first difference. The first recording is the recorded one. */
  readonly differences: readonly Difference[];
  /** Connections that only one of the recordings has, named as their clients see them. */
  readonly onlyFirst: readonly UnpairedConnection[];
  readonly onlySecond: readonly UnpairedConnection[];
  /** How many connections were compared. */
  readonly compared: number;
}

export function diffRecordings(
  first: DiffSide,
  second: DiffSide,
  masks: readonly Mask[],
  equal?: EqualBytes,
): RecordingDiff {
  const { pairs, onlyFirst, onlySecond } = pairConnections(first, second);
  const differences: Difference[] = [];
  for (const [a, b] of pairs)
    for (const direction of [Direction.toServer, Direction.toClient])
      compareStreams(first, a, second, b, direction, {
        masks,
        report: (difference) => differences.push(difference),
        ...(equal === undefined ? {} : { equal }),
      });
  return {
    differences,
    onlyFirst: namesOf(first, onlyFirst),
    onlySecond: namesOf(second, onlySecond),
    compared: pairs.length,
  };
}

function namesOf({ index }: DiffSide, connections: readonly number[]): UnpairedConnection[] {
  return connections.map((connection) => ({
    ...nameStream(index, connection, Direction.toServer),
    family: index.connections.family(connection),
  }));
}

interface Reporting {
  readonly masks: readonly Mask[];
  readonly report: (difference: Difference) => void;
  readonly equal?: EqualBytes;
}

function compareStreams(
  first: DiffSide,
  a: number,
  second: DiffSide,
  b: number,
  direction: Direction,
  reporting: Reporting,
): void {
  const recorded = new RecordedStream(first.index, first.read, a, direction);
  const comparison = comparisonFor(
    { ...first, ...reporting, isCut: () => false, deliveredBytes: () => Infinity },
    a,
    direction,
  );
  const { index, read } = second;
  let position = 0;
  for (let at = index.connections.from(b); at < index.connections.to(b); at++) {
    const event = index.byConnection[at] as number;
    if (index.kind(event) !== RecordKind.data || index.direction(event) !== direction) continue;
    const missing = index.streamOffset(event) - position;
    // Bytes that the second recording lacks may have been those of the first.
    if (missing > 0) comparison.push(recorded.copy(position, position + missing), 0, missing);
    const lengthBytes = index.lengthBytes(event);
    comparison.push(read(index.payloadPosition(event), lengthBytes).slice(), 0, lengthBytes);
    position = index.streamOffset(event) + lengthBytes;
  }
  comparison.finish();
  if (comparison.hasDiffered || comparison.position >= recorded.lengthBytes) return;
  reporting.report({
    kind: "missing-bytes",
    ...nameStream(first.index, a, direction),
    offset: comparison.position,
    expectedBytes: recorded.lengthBytes,
  });
}
