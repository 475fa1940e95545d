import type { Verdicts } from "../findings/verdicts.ts";
import type { Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Gate } from "./gate.ts";
import type { ScheduleOptions } from "./step.ts";

/** The collaborators and options of a {@link CursorEngine}. */
export interface CursorEngineParts {
  readonly index: RecordingIndex;
  readonly progress: Progress;
  readonly verdicts: Verdicts;
  readonly gate: Gate;
  readonly options: ScheduleOptions;
}
