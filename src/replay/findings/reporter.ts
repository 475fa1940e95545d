/** Chooses which differences to report and adds context. It is pure. */
import type { ContainerIndex } from "../../base/ids.ts";
import { activityOf } from "./activity.ts";
import type { DifferenceLog } from "./difference-log.ts";
import { type Difference, isNote, type ReportDifference } from "./differences.ts";
import type { Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** The number of other connections that a report of a process includes. */
const mostActivity = 5;

/** How the cores report: data goes in, and nothing comes back. */
export interface Reporter {
  /** The process has departed from the recording here. */
  readonly report: ReportDifference;
  /** The same, while the difference's context is still being collected. */
  readonly announce: ReportDifference;
}

/** Creates a reporter to `log`. It adds the progress of the process's other connections. */
export function reporterFor(
  log: DifferenceLog,
  index: RecordingIndex,
  progress: Progress,
): Reporter {
  const names = index.run.containers.map(({ name }) => name);
  const withActivity = (difference: Difference, container: ContainerIndex): Difference => {
    const except = "connection" in difference ? difference.connection : 0;
    const meanwhile = activityOf(index, progress, container, except, mostActivity);
    return meanwhile.length > 0 ? { ...difference, meanwhile } : difference;
  };
  const counts = (difference: Difference, container: ContainerIndex): boolean =>
    !goesBeyond(difference) || !index.isStopped(container);
  return {
    report: (difference) => {
      if (isNote(difference)) return log.add(difference);
      const container = names.indexOf(difference.process);
      if (!counts(difference, container)) return;
      progress.noteDeparture(container);
      log.add(withActivity(difference, container));
    },
    announce: (difference) => {
      const container = names.indexOf(difference.process);
      if (counts(difference, container)) log.announce(withActivity(difference, container));
    },
  };
}

/**
 * Whether a process only did more than its recorded part. A process that the recorder stopped in
 * the middle of its work does so, and there is nothing to compare it with.
 */
function goesBeyond({ kind }: Difference): boolean {
  return kind === "unexpected-connection" || kind === "extra-bytes";
}
