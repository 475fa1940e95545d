/**
 * The part of a recording that concerns a live process: what it did, and what was done to it, in order.
 * That is all the causality there is: what a process did was caused by what had been done to it before.
 *
 * One event moves. A SYN is nothing that a server sees; it sees the connections that it accepts, in
 * order. So a connection to a live server is dialed where it was accepted, not where it was asked for:
 * servers are slow to start, and backlogs full, and then the two differ.
 */
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** Containers whose commands run; the others are played from the recording. By index. */
export type LiveSet = ReadonlySet<number>;

/** The events by and to the live process `container`, in order. */
export function scriptOf(index: RecordingIndex, container: number): Uint32Array {
  const isMine = (client: number, server: number): boolean =>
    client === container || server === container;
  return select(index, isMine, (server) => server === container);
}

/** The events of all live processes, in the order of the whole recording. */
export function globalScript(index: RecordingIndex, live: LiveSet): Uint32Array {
  const isLive = (client: number, server: number): boolean => live.has(client) || live.has(server);
  return select(index, isLive, (server) => live.has(server));
}

/**
 * What happens between any two containers that are `wanted`. What a container would send to itself is no
 * part of a replay. `isDialed`: whether connections to this server are dialed.
 */
function select(
  index: RecordingIndex,
  wanted: (one: number, other: number) => boolean,
  isDialed: (server: number) => boolean,
): Uint32Array {
  const { connections } = index;
  const isWanted = new Uint8Array(connections.count + 1);
  for (let number = 1; number <= connections.count; number++) {
    const [client, server] = [connections.client(number), connections.server(number)];
    if (client !== server && wanted(client, server)) isWanted[number] = 1;
  }
  const isPart = (event: number): boolean => {
    const connection = index.connection(event);
    if (connection !== 0) return isWanted[connection] === 1;
    const [sender, receiver] = [index.sender(event), index.receiver(event)];
    return receiver < 0 || (sender !== receiver && wanted(sender, receiver));
  };
  const events = filter(index.eventCount, isPart);
  dialInAcceptOrder(index, events, isDialed);
  return events;
}

/** Moves each connect that is dialed, and was accepted, right before its acceptance. */
function dialInAcceptOrder(
  index: RecordingIndex,
  events: Uint32Array,
  isDialed: (server: number) => boolean,
): void {
  const { connections } = index;
  const moves = (event: number): boolean => {
    const connection = index.connection(event);
    return (
      isDialed(connections.server(connection)) && connections.outcome(connection) === "accepted"
    );
  };
  // In place: whatever has been left out stands before what is written instead.
  let to = 0;
  for (const event of events) {
    const kind = index.kind(event);
    if (kind === RecordKind.connect && moves(event)) continue;
    if (kind === RecordKind.accept && moves(event))
      events[to++] = index.byConnection[connections.from(index.connection(event))] as number;
    events[to++] = event;
  }
}

/** Counted first, so that nothing is grown or copied. */
function filter(eventCount: number, wanted: (event: number) => boolean): Uint32Array {
  let count = 0;
  for (let event = 0; event < eventCount; event++) if (wanted(event)) count++;
  const events = new Uint32Array(count);
  for (let event = 0, at = 0; at < count; event++) if (wanted(event)) events[at++] = event;
  return events;
}
