/** The exit codes of plg, part of its contract. */
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

/** Wrong usage: an invalid option, argument or name. */
export class UsageError extends PlgError {
  override readonly name = "UsageError";

  constructor(message: string, code?: ErrorCode) {
    super(ExitCode.usage, message, { code });
  }
}

/** The machine lacks something: a device, a privilege, a program, disk space. */
export class MachineError extends PlgError {
  override readonly name = "MachineError";

  constructor(message: string, options?: ErrorOptions) {
    super(ExitCode.machine, message, options);
  }
}

/** An unreadable dump: damaged, foreign or of an unknown version. `position` is a byte offset. */
export class DumpError extends PlgError {
  override readonly name = "DumpError";
  readonly position: number;

  constructor(message: string, position: number) {
    super(ExitCode.dump, `${message} (at byte ${position})`);
    this.position = position;
  }
}
