/**
 * A connection as a sequence of exchanges: what the client sends, then what the server answers. An
 * exchange begins where the client acts after the server has: a quiet point of most protocols.
 *
 * If the server ends the connection, or resets it, some time after an answer, that is an exchange
 * without a question.
 */
import type { ConnectionNumber } from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import { RecordKind } from "../dump/format/schema.ts";
import type { RecordingIndex } from "./recording.ts";

/** Offsets are those of the connection's streams. */
export interface Exchange {
  /** The recorded connection. */
  readonly connection: ConnectionNumber;
  /** Where its events lie in {@link RecordingIndex.byConnection}: up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
  /** Its first event. */
  readonly first: number;
  /**
   * The question: bytes of the client. There are none if the server speaks first, or if it just
   * ends.
   */
  readonly questionFrom: number;
  readonly questionTo: number;
  /** The answer: bytes of the server. */
  readonly answerFrom: number;
  readonly answerTo: number;
  /** How the client ends the connection in this exchange, if it does. */
  readonly ends: "end" | "reset" | undefined;
}

/** An end that follows an answer sooner than this is a part of it. */
const endingGapNs = 50e6;

/**
 * The exchange that begins at the place `from` of `byConnection`; undefined behind the last one.
 */
export function exchangeAt(
  index: RecordingIndex,
  connection: ConnectionNumber,
  from: number,
): Exchange | undefined {
  const { connections, byConnection } = index;
  if (from >= connections.to(connection)) return undefined;
  const to = placeAfter(index, from, connections.to(connection));
  const question = rangeOf(index, connection, from, to, Direction.toServer);
  const answer = rangeOf(index, connection, from, to, Direction.toClient);
  return {
    connection,
    from,
    to,
    first: byConnection[from] as number,
    questionFrom: question.from,
    questionTo: question.to,
    answerFrom: answer.from,
    answerTo: answer.to,
    ends: endingOf(index, from, to),
  };
}

/** Whether the client takes part in it; else it just happens to the client. */
export function isAsked({ questionFrom, questionTo, ends }: Exchange): boolean {
  return questionTo > questionFrom || ends !== undefined;
}

/** The first place that is not a part of the exchange that begins at `from`. */
function placeAfter(index: RecordingIndex, from: number, limit: number): number {
  let answeredNs: number | undefined;
  for (let place = from; place < limit; place++) {
    const event = index.byConnection[place] as number;
    const kind = index.kind(event);
    if (kind === RecordKind.connect || kind === RecordKind.accept) continue;
    if (index.direction(event) === Direction.toServer) {
      if (answeredNs !== undefined) return place;
      continue;
    }
    const timeNs = index.timeNs(event);
    const sinceNs = timeNs - (answeredNs ?? timeNs);
    if (kind !== RecordKind.data && sinceNs > endingGapNs) return place;
    answeredNs = timeNs;
  }
  return limit;
}

/** Which bytes of `direction` there are between two places. */
function rangeOf(
  index: RecordingIndex,
  connection: ConnectionNumber,
  from: number,
  to: number,
  direction: Direction,
): { from: number; to: number } {
  const isData = (place: number): boolean => {
    const event = index.byConnection[place] as number;
    return index.kind(event) === RecordKind.data && index.direction(event) === direction;
  };
  const start = (place: number): number => index.streamOffset(index.byConnection[place] as number);
  const end = (place: number): number =>
    start(place) + index.lengthBytes(index.byConnection[place] as number);
  let last = to - 1;
  while (last >= index.connections.from(connection) && !isData(last)) last--;
  if (last < index.connections.from(connection)) return { from: 0, to: 0 };
  if (last < from) return { from: end(last), to: end(last) };
  let first = from;
  while (!isData(first)) first++;
  return { from: start(first), to: end(last) };
}

function endingOf(index: RecordingIndex, from: number, to: number): Exchange["ends"] {
  let ending: Exchange["ends"];
  for (let place = from; place < to; place++) {
    const event = index.byConnection[place] as number;
    if (index.direction(event) === Direction.toClient) continue;
    if (index.kind(event) === RecordKind.end) ending ??= "end";
    if (index.kind(event) === RecordKind.reset) ending = "reset";
  }
  return ending;
}
