/** What each exit code of plg means (the contract of the command line). */
export const ExitCode = {
  ok: 0,
  commandFailed: 1,
  usage: 2,
  replayDiffers: 3,
  machine: 4,
  dump: 5,
  bug: 70,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An error that a user can understand and mend: its message is one line that says what, where and the mend. */
export class PlgError extends Error {
  override readonly name: string = "PlgError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Wrong usage: an option, an argument, a name. */
export class UsageError extends PlgError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super(ExitCode.usage, message);
  }
}

/** This machine cannot do it: a missing device, privilege, program, or a full disk. */
export class MachineError extends PlgError {
  override readonly name = "MachineError";

  constructor(message: string, options?: ErrorOptions) {
    super(ExitCode.machine, message, options);
  }
}

/** A dump that cannot be read: damaged, foreign, of another version. `position` is the byte offset in the file. */
export class DumpError extends PlgError {
  override readonly name = "DumpError";
  readonly position: number;

  constructor(message: string, position: number) {
    super(ExitCode.dump, `${message} (at byte ${position})`);
    this.position = position;
  }
}
