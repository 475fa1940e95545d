/** Why replay no longer waited for something, and how long it had. Plain data. */
export interface Wait {
  /**
   * `gap`: it took longer than in the recording, since the event before it. `clock`: the process's own
   * clock passed the recorded time. `gone`: the process had ended.
   */
  readonly rule: "gap" | "clock" | "gone";
  readonly waitedMs: number;
  /** The recorded gap, or the recorded time since the start. */
  readonly recordedMs: number;
  /** What came on top; less than asked for where it has worn off. */
  readonly patienceMs: number;
}

/** A process that has ended is not waited for. */
export const gone: Wait = { rule: "gone", waitedMs: 0, recordedMs: 0, patienceMs: 0 };
