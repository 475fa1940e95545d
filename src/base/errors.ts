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

/**
 * Which mistake an error is, for callers that have advice to add: the command line knows an option
 * that helps.
 */
export type ErrorCode =
  | "dump-foreign"
  | "dump-in-use"
  | "dump-unreadable"
  | "dump-unwritable"
  | "subnet-too-small";

interface PlgErrorOptions extends ErrorOptions {
  readonly code?: ErrorCode | undefined;
}

/** An error that a user can understand and fix: its message is one line, without a period. */
export class PlgError extends Error {
  override readonly name: string = "PlgError";
  readonly exitCode: ExitCode;
  readonly code: ErrorCode | undefined;

  constructor(exitCode: ExitCode, message: string, options: PlgErrorOptions = {}) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = options.code;
  }
}

/** Wrong usage: an option, an argument, a name. */
export class UsageError extends PlgError {
  override readonly name = "UsageError";

  constructor(message: string, code?: ErrorCode) {
    super(ExitCode.usage, message, { code });
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
