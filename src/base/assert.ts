/**
 * There are two kinds of errors. A {@link PlgError} is something a user can cause or fix: one line
 * and an exit code. A failed {@link assert} is a bug in plg: it ends the run with exit code 70.
 */

/**
 * A broken invariant of plg itself. Nothing catches it to carry on; it is reported with its stack.
 */
export class BugError extends Error {
  override readonly name = "BugError";
}

/** Throws a {@link BugError} unless `condition` holds. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new BugError(`bug in plg: ${what}`);
}

/** The `default` of an exhaustive switch: the compiler proves that it is unreachable. */
export function unreachable(value: never): never {
  throw new BugError(`bug in plg: unexpected value ${String(value)}`);
}
