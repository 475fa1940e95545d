/**
 * Which connection of one recording is which of another: those of the same client to the same port
 * of the same server, by name. Among them the same bytes come first, then the same opening, then
 * the order.
 */
import type { ConnectionNumber, ContainerIndex } from "../base/ids.ts";
import { foldName } from "../base/container-name.ts";
import { Direction } from "../base/direction.ts";
import type { ReadPayload } from "../recording/recorded-stream.ts";
import { RecordKind } from "../dump/format/schema.ts";
import type { RecordingIndex } from "../recording/recording.ts";

/** A recording to compare. */
export interface DiffSide {
  readonly index: RecordingIndex;
  readonly read: ReadPayload;
}

export interface Pairing {
  readonly pairs: readonly (readonly [number, number])[];
  /** Connections that have no counterpart. */
  readonly onlyFirst: readonly number[];
  readonly onlySecond: readonly number[];
}

/** What two connections may have in common, the strongest first. */
const likenesses = [sumOf, openingOf, (): string => ""] as const;

export function pairConnections(first: DiffSide, second: DiffSide): Pairing {
  const pairs: [number, number][] = [];
  const onlyFirst: number[] = [];
  const theirs = byEnds(second);
  for (const [ends, ours] of byEnds(first)) {
    let left = { ours, theirs: theirs.get(ends) ?? [] };
    theirs.delete(ends);
    for (const likeness of likenesses) left = pairAlike(left, likeness, first, second, pairs);
    onlyFirst.push(...left.ours);
    if (left.theirs.length > 0) theirs.set(ends, left.theirs);
  }
  return {
    pairs: pairs.toSorted(([a], [b]) => a - b),
    onlyFirst: ascending(onlyFirst),
    onlySecond: ascending([...theirs.values()].flat()),
  };
}

/** Pairs what has the same likeness, in order. Returns what is left. */
function pairAlike(
  { ours, theirs }: { readonly ours: readonly number[]; readonly theirs: readonly number[] },
  likeness: (side: DiffSide, connection: ConnectionNumber) => string,
  first: DiffSide,
  second: DiffSide,
  pairs: [number, number][],
): { ours: number[]; theirs: number[] } {
  const waiting = new Map<string, number[]>();
  for (const connection of theirs) {
    const key = likeness(second, connection);
    waiting.set(key, [...(waiting.get(key) ?? []), connection]);
  }
  const left: number[] = [];
  for (const connection of ours) {
    const match = waiting.get(likeness(first, connection))?.shift();
    if (match === undefined) left.push(connection);
    else pairs.push([connection, match]);
  }
  return { ours: left, theirs: ascending([...waiting.values()].flat()) };
}

/** Connections by the names of their ends and the server's port. */
function byEnds({ index }: DiffSide): Map<string, number[]> {
  const { connections, run } = index;
  const nameOf = (container: ContainerIndex): string =>
    foldName(run.containers[container]?.name ?? "");
  const groups = new Map<string, number[]>();
  for (let number = 1; number <= connections.count; number++) {
    const server = `${nameOf(connections.server(number))}:${connections.serverPort(number)}`;
    const ends = `${nameOf(connections.client(number))} ${server} ${connections.family(number)} ${connections.outcome(number)}`;
    const group = groups.get(ends);
    if (group === undefined) groups.set(ends, [number]);
    else group.push(number);
  }
  return groups;
}

function openingOf({ index }: DiffSide, connection: ConnectionNumber): string {
  return String.fromCharCode(...index.connections.opening(connection).subarray(0, 4096));
}

/** The lengths of both streams, and FNV-1a sums over them. */
function sumOf({ index, read }: DiffSide, connection: ConnectionNumber): string {
  const { connections, byConnection } = index;
  const sums = [0x811c9dc5, 0x811c9dc5];
  for (let at = connections.from(connection); at < connections.to(connection); at++) {
    const event = byConnection[at] as number;
    if (index.kind(event) !== RecordKind.data) continue;
    const direction = index.direction(event);
    let sum = sums[direction] as number;
    for (const byte of read(index.payloadPosition(event), index.lengthBytes(event)))
      sum = Math.imul(sum ^ byte, 0x01000193);
    sums[direction] = sum;
  }
  const lengths = [Direction.toServer, Direction.toClient].map((direction) =>
    connections.bytes(connection, direction),
  );
  return [...sums, ...lengths].join();
}

function ascending(connections: readonly number[]): number[] {
  return connections.toSorted((a, b) => a - b);
}
