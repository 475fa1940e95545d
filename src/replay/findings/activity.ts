/** Describes the progress of the process's other open connections. */
import { type ConnectionNumber, type ContainerIndex, endOf } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { containerName } from "./stream-name.ts";
import { Done, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** One line for each of up to `most` open connections of `container`, except for `except`. */
export function activityOf(
  index: RecordingIndex,
  progress: Progress,
  container: ContainerIndex,
  except: number,
  most: number,
): readonly string[] {
  const lines: string[] = [];
  for (let number = 1; number <= index.connections.count && lines.length < most; number++) {
    if (number === except) continue;
    for (const direction of [Direction.toServer, Direction.toClient]) {
      const isIts = index.connections.sender(number, direction) === container;
      const line = isIts ? lineOf(index, progress, number, direction) : undefined;
      if (line !== undefined) lines.push(line);
    }
  }
  return lines;
}

function lineOf(
  index: RecordingIndex,
  progress: Progress,
  number: ConnectionNumber,
  direction: Direction,
): string | undefined {
  const { connections } = index;
  const end = endOf(number, direction);
  const other = direction === Direction.toServer ? Direction.toClient : Direction.toServer;
  const [sent, toSend] = [progress.sentBytes(end), connections.bytes(number, direction)];
  const [got, toGet] = [progress.receivedBytes(end), connections.bytes(number, other)];
  const isUp = progress.has(end, Done.connected | Done.accepted);
  if (!isUp || progress.has(end, Done.reset) || (sent >= toSend && got >= toGet)) return undefined;
  const client = `${containerName(index, connections.client(number))}:${connections.clientPort(number)}`;
  const server = `${containerName(index, connections.server(number))}:${connections.serverPort(number)}`;
  return `connection ${number}, ${client} \u2192 ${server}: has sent ${sent} of ${toSend} bytes, got ${got} of ${toGet}`;
}
