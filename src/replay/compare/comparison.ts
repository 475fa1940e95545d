/**
 * Chooses how to compare one direction of a connection: by the units of its protocol, or by bytes.
 */
import type { ConnectionNumber } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { RecordedStream } from "../../recording/recorded-stream.ts";
import { nameStream } from "../findings/stream-name.ts";
import type { CompareParts, Comparison } from "./compare.ts";
import { Horizon } from "./horizon.ts";
import { http2Framing } from "./http2-units.ts";
import { masksFor } from "./masks.ts";
import { RecordedUnits } from "./recorded-units.ts";
import { StreamComparison } from "./stream-comparison.ts";
import { UnitComparison } from "./unit-comparison.ts";
import type { Framing } from "./units.ts";

const framings: readonly Framing[] = [http2Framing];

/** How many of the client's first bytes serve to recognize a framing. */
const openingBytes = 4096;

/** Creates the comparison for `direction` of a connection, from the offset `from` on. */
export function comparisonFor(
  parts: CompareParts,
  connection: ConnectionNumber,
  direction: Direction,
  from = 0,
): Comparison {
  const { index, read, masks } = parts;
  const recorded = new RecordedStream(index, read, connection, direction);
  const stream = {
    ...parts,
    name: nameStream(index, connection, direction),
    recorded,
    patterns: masksFor(masks, index, connection, direction),
    equivalents: parts.equivalentsFor?.(index.connections.sender(connection, direction)),
    isCut: parts.isCut(connection, direction),
    from,
  };
  const horizon = new Horizon(index, connection, direction, () =>
    parts.deliveredBytes(connection, direction),
  );
  const framing = from === 0 ? framingOf(parts, connection) : undefined;
  const units = framing && RecordedUnits.read(recorded, (input) => framing.units(input, direction));
  return framing && units
    ? new UnitComparison(stream, units, framing, direction)
    : new StreamComparison({ ...stream, horizon });
}

/** Whether a connection is compared by the units of a protocol. */
export function isFramed(
  parts: Pick<CompareParts, "index" | "read">,
  connection: ConnectionNumber,
): boolean {
  return framingOf(parts, connection) !== undefined;
}

function framingOf(
  { index, read }: Pick<CompareParts, "index" | "read">,
  connection: ConnectionNumber,
): Framing | undefined {
  const opening = index.connections.opening(connection);
  const fromClient = new RecordedStream(index, read, connection, Direction.toServer);
  // If the server speaks first, the index keeps no opening of the client.
  const first = opening.length > 0 ? opening : fromClient.copy(0, openingBytes);
  return framings.find((framing) => framing.recognizes(first));
}
