/** Why and when the replay stopped waiting for something. Plain data. */
export interface Wait {
  /**
   * - `gap`: the process took longer than the recorded gap after the previous event.
   * - `clock`: the process's own clock passed the recorded time.
   * - `gone`: the process had ended.
   */
  readonly rule: "gap" | "clock" | "gone";
  readonly waitedMs: number;
  /** The recorded gap, or the recorded time since the start. */
  readonly recordedMs: number;
  /**
   * The patience on top of that. It is less than the configured one where patience has worn off.
   */
  readonly patienceMs: number;
}

/** The replay does not wait for a process that has ended. */
export const gone: Wait = { rule: "gone", waitedMs: 0, recordedMs: 0, patienceMs: 0 };
