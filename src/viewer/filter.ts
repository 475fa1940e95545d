/**
 * The filter: words that say which events are shown, all of which must hold. `#3` is a connection, `:6379` a
 * port at either end, `client` a container that sends or gets it, `reset` a kind of event; of the last two the
 * beginning will do.
 */
import type { RecordingIndex } from "../replay/recording.ts";
import { kindWords } from "../report/events.ts";

/** Whether an event is shown. */
type Test = (event: number) => boolean;

/** A filter that was read: its tests, and what is wrong with it, empty if nothing is. */
interface Filter {
  readonly tests: readonly Test[];
  readonly problem: string;
}

export function parseFilter(text: string, index: RecordingIndex): Filter {
  const tests: Test[] = [];
  for (const word of text.trim().toLowerCase().split(/\s+/)) {
    if (word === "") continue;
    const test = testFor(word, index);
    if (test === undefined)
      return {
        tests: [],
        problem: `'${word}' is no container, kind of event (${Object.values(kindWords).join(", ")}), #connection or :port`,
      };
    tests.push(test);
  }
  return { tests, problem: "" };
}

function testFor(word: string, index: RecordingIndex): Test | undefined {
  const [, sign, digits] = /^([#:])(\d{1,9})$/.exec(word) ?? [];
  const number = Number(digits);
  if (sign === "#") return (event) => index.connection(event) === number;
  if (sign === ":") return hasPort(index, number);
  const kinds = new Set(
    Object.entries(kindWords).flatMap(([kind, name]) =>
      name.startsWith(word) ? [Number(kind)] : [],
    ),
  );
  const containers = new Set(
    index.run.containers.flatMap(({ name }, container) =>
      name.startsWith(word) ? [container] : [],
    ),
  );
  if (kinds.size === 0 && containers.size === 0) return undefined;
  return (event) =>
    kinds.has(index.kind(event)) ||
    containers.has(index.sender(event)) ||
    containers.has(index.receiver(event));
}

function hasPort(index: RecordingIndex, port: number): Test {
  const { connections } = index;
  return (event) => {
    const connection = index.connection(event);
    if (connection === 0) return false;
    return (
      connections.clientPort(connection) === port || connections.serverPort(connection) === port
    );
  };
}

/** The numbers of the events that are shown, in their order. */
export function eventsThatPass(index: RecordingIndex, tests: readonly Test[]): Uint32Array {
  const passed = new Uint32Array(index.eventCount);
  let count = 0;
  for (let event = 0; event < index.eventCount; event++)
    if (tests.every((test) => test(event))) passed[count++] = event;
  return passed.subarray(0, count);
}
