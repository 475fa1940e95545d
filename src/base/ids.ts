/**
 * What identifies the parts of a run. All are plain numbers at run time, so they cost nothing and
 * fit into shared memory, but the compiler never takes one kind for another.
 *
 * A number of no kind, such as a loop's counter or an element of a typed array, passes for any of
 * the first three. An {@link EndId} comes from {@link endOf} alone.
 */
import type { Direction } from "./direction.ts";
import { opposite } from "./direction.ts";
import type { Branded, Kind } from "./units.ts";

/** A container's index in its run, from 0. */
export type ContainerIndex = Kind<number, "ContainerIndex">;

/** In place of a packet's receiver: it went to no single container. */
export const everyone: ContainerIndex = -1;

/** A connection's number in its recording, from 1 in the order of their SYNs. */
export type ConnectionNumber = Kind<number, "ConnectionNumber">;

/** The connection of a packet that belongs to none. */
export const noConnection: ConnectionNumber = 0;

/** An event's number in its recording, from 0 in the recorded order. */
export type EventNumber = Kind<number, "EventNumber">;

/** In place of an event: there is none. It is before every event. */
export const noEvent: EventNumber = -1;

/**
 * One end of a connection: the one that sends in a direction. Ends are numbered densely, so that
 * arrays can hold what is known of each.
 */
export type EndId = Branded<number, "EndId">;

/** In place of an end: packets, which have none. */
export const noEnd = -1 as EndId;

/** The end of `connection` that sends in `direction`. */
export function endOf(connection: ConnectionNumber, direction: Direction): EndId {
  return (2 * connection + direction) as EndId;
}

export function connectionOf(end: EndId): ConnectionNumber {
  return end >> 1;
}

/** The direction in which the end sends. */
function directionOf(end: EndId): Direction {
  return (end & 1) as Direction;
}

/** The other end of the connection. */
export function peerOf(end: EndId): EndId {
  return endOf(connectionOf(end), opposite(directionOf(end)));
}

/** The length of an array that has an element for each end, if this is the last connection. */
export function endsUpTo(last: ConnectionNumber): number {
  return 2 * (last + 1);
}
