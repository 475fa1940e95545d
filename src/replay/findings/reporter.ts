/** Chooses which differences to report and adds context. It is pure. */
import { Direction } from "../../base/direction.ts";
import { activityOf } from "./activity.ts";
import {
  type Difference,
  type DifferenceLog,
  type EndDifference,
  isNote,
  type MissingBytesDifference,
  type ReportDifference,
  type StreamName,
} from "./differences.ts";
import type { Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** The number of other connections that a report of a process includes. */
const mostActivity = 5;

/**
 * Returns a function that reports to `log` and adds the progress of the process's other
 * connections. Since only the first difference of a stream counts, it first has the stream's
 * comparison report what it holds: `tellFirst`. In a protocol with units, that returns the unit
 * that the stream lacks.
 */
export function reporterFor(
  log: DifferenceLog,
  index: RecordingIndex,
  progress: Progress,
  tellFirst: (connection: number, direction: Direction) => string | undefined,
): ReportDifference {
  const names = index.run.containers.map(({ name }) => name);
  return (difference) => {
    if (isNote(difference)) return log.add(difference);
    const container = names.indexOf(difference.process);
    if (goesBeyond(difference) && index.isStopped(container)) return;
    progress.noteDeparture(container);
    // Differing bytes precede missing ones, even if the comparison is still collecting context.
    const unit =
      "connection" in difference && difference.kind !== "bytes"
        ? tellFirst(difference.connection, directionOf(difference))
        : undefined;
    const besides = "connection" in difference ? difference.connection : 0;
    const meanwhile = activityOf(index, progress, container, besides, mostActivity);
    const told = unit !== undefined && isLack(difference) ? { ...difference, unit } : difference;
    log.add(meanwhile.length > 0 ? { ...told, meanwhile } : told);
  };
}

function directionOf({ direction }: StreamName): Direction {
  return direction === "to server" ? Direction.toServer : Direction.toClient;
}

/** Whether something recorded did not come. */
function isLack(difference: Difference): difference is MissingBytesDifference | EndDifference {
  return (
    difference.kind === "missing-bytes" ||
    difference.kind === "early-end" ||
    difference.kind === "unexpected-reset"
  );
}

/**
 * Whether a process only did more than its recorded part. A process that the recorder stopped in
 * the middle of its work does so, and there is nothing to compare it with.
 */
function goesBeyond({ kind }: Difference): boolean {
  return kind === "unexpected-connection" || kind === "extra-bytes";
}
