/** Names the events of the index. */
import { type EventNumber, noConnection } from "../base/ids.ts";
import type { RecordingIndex } from "../recording/recording.ts";
import { eventLabel } from "../report/events.ts";

/** An event in a few words, without its bytes. */
export function labelOf(index: RecordingIndex, event: EventNumber): string {
  const connection = index.connection(event);
  const port = connection === noConnection ? 0 : index.connections.serverPort(connection);
  return eventLabel(index.kind(event), index.lengthBytes(event), port);
}
