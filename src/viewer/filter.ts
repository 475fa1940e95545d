/** The viewer's filter: the selection language of report/selection.ts over an index. */
import { type EventNumber, noConnection } from "../base/ids.ts";
import { UsageError } from "../base/errors.ts";
import type { RecordingIndex } from "../recording/recording.ts";
import { type EventFacts, parseSelection, type Selection } from "../report/selection.ts";

/** A filter that was read; or what is wrong with it, as one line. */
type Filter =
  | { readonly selection: Selection; readonly problem: "" }
  | { readonly selection: undefined; readonly problem: string };

export function parseFilter(text: string, index: RecordingIndex): Filter {
  const names = index.run.containers.map(({ name }) => name);
  try {
    return { selection: parseSelection(text, names), problem: "" };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { selection: undefined, problem: error.message };
  }
}

/**
 * The numbers of the events that pass, in order. `textOf` gives the text of an event that a
 * pattern has to match.
 */
export function eventsThatPass(
  index: RecordingIndex,
  selection: Selection,
  textOf: (event: EventNumber) => string,
): Uint32Array {
  const passed = new Uint32Array(index.eventCount);
  let count = 0;
  for (let event = 0; event < index.eventCount; event++) {
    if (selection.selectsEvents && !selection.passes(factsOf(index, event))) continue;
    if (selection.selectsText && !selection.matches(textOf(event))) continue;
    passed[count++] = event;
  }
  return passed.subarray(0, count);
}

function factsOf(index: RecordingIndex, event: EventNumber): EventFacts {
  const connection = index.connection(event);
  const { connections } = index;
  return {
    kind: index.kind(event),
    connection,
    clientPort: connection === noConnection ? 0 : connections.clientPort(connection),
    serverPort: connection === noConnection ? 0 : connections.serverPort(connection),
    sender: index.sender(event),
    receiver: index.receiver(event),
    atNs: index.timeNs(event),
  };
}
