/**
 * The names of errors, for programs: a library's user compares `code`, and the command line derives
 * the exit code and adds the option that helps. Lower rooms know neither options nor exit codes.
 */
export type ErrorCode =
  /** An argument, an option or a name is invalid. */
  | "invalid-argument"
  | "no-command"
  | "subnet-too-small"
  /** The file to write is not a recording, so plg does not replace it. */
  | "dump-protected"
  | "dump-in-use"
  | "dump-unwritable"
  /** The machine lacks something: a device, a privilege, a program, a free descriptor. */
  | "machine-unsuitable"
  | "no-policy-routing"
  /** The namespaces, mounts or processes that a run needs cannot be created. */
  | "sandbox-unavailable"
  /** A write failed after the recording had begun, for instance because the disk is full. */
  | "dump-incomplete"
  | "dump-unreadable"
  /** Somebody else recorded the commands that would run. */
  | "commands-unconfirmed"
  | "dump-damaged"
  /** Another program changed the dump while plg read it. */
  | "dump-changed"
  | "capture-unreadable";

interface PlgErrorOptions extends ErrorOptions {
  readonly code: ErrorCode;
  /** The argument that is invalid, by its name in the API: `from`, `link`. */
  readonly argument?: string | undefined;
}

/** An error that a user can understand and fix: its message is one line, without a period. */
export class PlgError extends Error {
  override readonly name: string = "PlgError";
  readonly code: ErrorCode;
  /** The invalid argument, if the error concerns one. The message does not repeat its name. */
  readonly argument: string | undefined;

  constructor(message: string, { code, argument, ...options }: PlgErrorOptions) {
    super(message, options);
    this.code = code;
    this.argument = argument;
  }
}

/** Wrong usage: an invalid option, argument or name. */
export class UsageError extends PlgError {
  override readonly name = "UsageError";

  constructor(message: string, options: Partial<PlgErrorOptions> = {}) {
    super(message, { code: "invalid-argument", ...options });
  }
}

/** The machine lacks something: a device, a privilege, a program, disk space. */
export class MachineError extends PlgError {
  override readonly name = "MachineError";

  constructor(message: string, options: Partial<PlgErrorOptions> = {}) {
    super(message, { code: "machine-unsuitable", ...options });
  }
}

/** An unreadable dump: damaged, foreign or of an unknown version. `position` is a byte offset. */
export class DumpError extends PlgError {
  override readonly name = "DumpError";
  readonly position: number;

  constructor(message: string, position: number) {
    super(`${message} (at byte ${position})`, { code: "dump-damaged" });
    this.position = position;
  }
}
