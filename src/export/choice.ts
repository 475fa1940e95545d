/** Selects the connections and packets of a recording to export: pure. */
import { type EventNumber, noConnection } from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import { RecordKind } from "../dump/format/schema.ts";
import { type ReadPayload, RecordedStream } from "../recording/recorded-stream.ts";
import type { RecordingIndex } from "../recording/recording.ts";
import type { EventFacts, Selection } from "../report/selection.ts";
import { latin1 } from "./redaction.ts";

/** Streams are searched in pieces. The overlap limits the length of a match. */
const pieceBytes = 4 << 20;
const overlapBytes = 1 << 16;

/**
 * The connections that have a selected event and a matching text. Connections are exported whole,
 * because their beginning explains the rest.
 */
export function chosenConnections(
  index: RecordingIndex,
  read: ReadPayload,
  selection: Selection,
): Set<number> {
  const chosen = new Set<number>();
  for (let event = 0; event < index.eventCount; event++) {
    const connection = index.connection(event);
    if (
      connection !== noConnection &&
      !chosen.has(connection) &&
      selection.passes(factsOf(index, event))
    )
      chosen.add(connection);
  }
  if (!selection.selectsText) return chosen;
  for (const connection of chosen)
    if (
      ![Direction.toServer, Direction.toClient].some((direction) =>
        matches(new RecordedStream(index, read, connection, direction), selection),
      )
    )
      chosen.delete(connection);
  return chosen;
}

/** Whether a packet is exported. */
export function isChosenPacket(
  index: RecordingIndex,
  event: EventNumber,
  packet: Uint8Array,
  selection: Selection,
): boolean {
  if (!selection.passes(factsOf(index, event))) return false;
  return !selection.selectsText || selection.matches(latin1(packet));
}

function matches(stream: RecordedStream, selection: Selection): boolean {
  for (let at = 0; at < stream.lengthBytes; at += pieceBytes - overlapBytes) {
    at += stream.missingBytes(at);
    if (selection.matches(latin1(stream.copy(at, at + pieceBytes)))) return true;
  }
  return false;
}

function factsOf(index: RecordingIndex, event: EventNumber): EventFacts {
  const connection = index.connection(event);
  const { connections } = index;
  const isPacket = index.kind(event) === RecordKind.packet;
  return {
    kind: index.kind(event),
    connection,
    clientPort: isPacket ? 0 : connections.clientPort(connection),
    serverPort: isPacket ? 0 : connections.serverPort(connection),
    sender: index.sender(event),
    receiver: index.receiver(event),
    atNs: index.timeNs(event),
  };
}
