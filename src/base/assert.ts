/**
 * Errors in two kinds. What a user can cause or mend is a {@link PlgError}: one line, with an exit
 * code. What only a bug in plg can cause is a failed {@link assert}: it ends the run with exit 70.
 */

/** A broken promise inside plg itself: never caught to go on, reported with its stack. */
export class BugError extends Error {
  override readonly name = "BugError";
}

/** Throws a {@link BugError} unless `condition` holds. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new BugError(`bug in plg: ${what}`);
}

/** For the `default` of a switch that names every case: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new BugError(`bug in plg: unexpected value ${String(value)}`);
}
