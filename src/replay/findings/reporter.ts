/** What of that which the cores find is told, and with what: pure. */
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

/** How many other connections of a process are told with its difference. */
const mostActivity = 5;

/**
 * Reports to `log`, and adds what else was going on for the process. `tellFirst` lets a stream's
 * comparison report what it has, because of each stream the first difference counts. It returns the
 * unit that the stream lacks, where the protocol has units.
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
    // Other bytes come before missing ones, even if more of them was awaited to be shown.
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

/** Whether something that was recorded did not come. */
function isLack(difference: Difference): difference is MissingBytesDifference | EndDifference {
  return (
    difference.kind === "missing-bytes" ||
    difference.kind === "early-end" ||
    difference.kind === "unexpected-reset"
  );
}

/**
 * Whether a process only went on beyond its part. One that the recorder stopped in the middle of its
 * work does that, and there is nothing to compare it with.
 */
function goesBeyond({ kind }: Difference): boolean {
  return kind === "unexpected-connection" || kind === "extra-bytes";
}
