/**
 * The comparison of two recordings in the terms of a replay, for JUnit and the page: the first
 * recording is the recorded one, and the second one is what its processes did.
 */
import type { ContainerIndex } from "../base/ids.ts";
import type { RecordingDiff, UnpairedConnection } from "../diff/diff.ts";
import { DifferenceLog } from "../replay/findings/difference-log.ts";
import type { Difference, DifferenceList } from "../replay/findings/differences.ts";
import type { RecordingIndex } from "../recording/recording.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

export interface DiffOutcome {
  readonly outcome: Outcome;
  readonly differences: DifferenceList;
}

/** `first` is the index of the first recording. Keeps at most `most` differences. */
export function diffOutcome(
  { differences, onlyFirst, onlySecond, compared }: RecordingDiff,
  first: RecordingIndex,
  most: number,
): DiffOutcome {
  const log = new DifferenceLog(most);
  for (const difference of differences) log.add(difference);
  for (const connection of onlyFirst) log.add({ ...connection, kind: "missing-connection" });
  for (const connection of onlySecond) log.add(unexpected(connection, first));
  const list = log.list();
  const names = new Set([
    ...first.run.containers.map(({ name }) => name),
    ...Object.keys(list.byProcess),
  ]);
  const processes = [...names].map((name) => ({
    name,
    differences: Object.hasOwn(list.byProcess, name) ? (list.byProcess[name] as number) : 0,
  }));
  const facts = { processes, played: compared, total: compared, compared: true };
  return { outcome: outcomeOf(facts), differences: list };
}

function unexpected(connection: UnpairedConnection, first: RecordingIndex): Difference {
  const { process, server, serverPort, family } = connection;
  const alike = numbersOf(first).filter(
    (number) =>
      nameOf(first, first.connections.client(number)) === process &&
      nameOf(first, first.connections.server(number)) === server &&
      first.connections.serverPort(number) === serverPort,
  );
  const same = alike.filter((number) => first.connections.family(number) === family).length;
  return {
    kind: "unexpected-connection",
    isRecorded: true,
    process,
    server,
    serverPort,
    family,
    beforeEvent: first.eventCount,
    recordedConnections: same,
    otherFamilyConnections: alike.length - same,
  };
}

function numbersOf({ connections }: RecordingIndex): number[] {
  return Array.from({ length: connections.count }, (_, i) => i + 1);
}

function nameOf({ run }: RecordingIndex, container: ContainerIndex): string {
  return run.containers[container]?.name ?? "";
}
