/** Names containers and streams as differences do. */
import type { ConnectionNumber, ContainerIndex } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { StreamName } from "./differences.ts";

/** Names the stream that a process sends in `direction` of a recorded connection. */
export function nameStream(
  index: RecordingIndex,
  connection: ConnectionNumber,
  direction: Direction,
): StreamName {
  const { connections } = index;
  return {
    process: containerName(index, connections.sender(connection, direction)),
    connection: connections.originOf(connection),
    client: containerName(index, connections.client(connection)),
    clientPort: connections.clientPort(connection),
    server: containerName(index, connections.server(connection)),
    serverPort: connections.serverPort(connection),
    direction: direction === Direction.toServer ? "to server" : "to client",
  };
}

export function containerName(index: RecordingIndex, container: ContainerIndex): string {
  return index.run.containers[container]?.name ?? `container ${container}`;
}
