/**
 * Selects the events that concern a live process, in order: its acts, and what happened to it. This
 * order holds all the causality we know: earlier deliveries may have caused any act of the process.
 *
 * One kind of event moves. A server does not see a SYN; it sees the connections that it accepts, in
 * order. So the script places the dialing of a live server right before the recorded accept, not
 * where the client connected. The two differ when a server is slow to start or its backlog is full.
 */
import { type ContainerIndex, type EventNumber, everyone } from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** The indices of the containers whose commands run. The others are played from the recording. */
export type LiveSet = ReadonlySet<number>;

/** The events caused by or happening to the live process `container`, in order. */
export function scriptOf(index: RecordingIndex, container: ContainerIndex): Uint32Array {
  const isMine = (client: ContainerIndex, server: ContainerIndex): boolean =>
    client === container || server === container;
  return select(index, isMine, (server) => server === container);
}

/** The events of all live processes, in the order of the recording. */
export function globalScript(index: RecordingIndex, live: LiveSet): Uint32Array {
  const isLive = (client: ContainerIndex, server: ContainerIndex): boolean =>
    live.has(client) || live.has(server);
  return select(index, isLive, (server) => live.has(server));
}

/**
 * The events between two containers that are `wanted`. A replay omits what a container sends to
 * itself. `isDialed` reports whether the replay dials connections to this server.
 */
function select(
  index: RecordingIndex,
  wanted: (one: number, other: number) => boolean,
  isDialed: (server: ContainerIndex) => boolean,
): Uint32Array {
  const { connections } = index;
  const isWanted = new Uint8Array(connections.count + 1);
  for (let number = 1; number <= connections.count; number++) {
    const [client, server] = [connections.client(number), connections.server(number)];
    if (client !== server && wanted(client, server)) isWanted[number] = 1;
  }
  const isPart = (event: EventNumber): boolean => {
    const connection = index.connection(event);
    if (connection !== 0) return isWanted[connection] === 1;
    const [sender, receiver] = [index.sender(event), index.receiver(event)];
    return receiver === everyone || (sender !== receiver && wanted(sender, receiver));
  };
  const events = filter(index.eventCount, isPart);
  dialInAcceptOrder(index, events, isDialed);
  return events;
}

/** Moves the connect of each dialed and accepted connection right before its accept. */
function dialInAcceptOrder(
  index: RecordingIndex,
  events: Uint32Array,
  isDialed: (server: ContainerIndex) => boolean,
): void {
  const { connections } = index;
  const moves = (event: EventNumber): boolean => {
    const connection = index.connection(event);
    return (
      isDialed(connections.server(connection)) && connections.outcome(connection) === "accepted"
    );
  };
  // Rewrites the array in place: writing never overtakes reading.
  let to = 0;
  for (const event of events) {
    const kind = index.kind(event);
    if (kind === RecordKind.connect && moves(event)) continue;
    if (kind === RecordKind.accept && moves(event))
      events[to++] = index.byConnection[connections.from(index.connection(event))] as number;
    events[to++] = event;
  }
}

/** Counts first, so that no array grows or is copied. */
function filter(eventCount: number, wanted: (event: EventNumber) => boolean): Uint32Array {
  let count = 0;
  for (let event = 0; event < eventCount; event++) if (wanted(event)) count++;
  const events = new Uint32Array(count);
  for (let event = 0, at = 0; at < count; event++) if (wanted(event)) events[at++] = event;
  return events;
}
