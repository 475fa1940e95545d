/** A check of this machine: tries out something that a run needs. */
import { MachineError } from "../base/errors.ts";

/**
 * `missing`: recording is impossible without it. `limited`: everything works, with a restriction.
 */
export type CheckStatus = "ok" | "limited" | "missing";

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** The finding, or the failure. */
  readonly detail: string;
  /** How to fix it, if it is not ok. */
  readonly fix?: string | undefined;
}

/** The meaning of a failure. */
export interface Otherwise {
  readonly status: Exclude<CheckStatus, "ok">;
  readonly fix: string;
}

/** Runs `attempt`, which returns its finding or throws, and turns the outcome into a check. */
export async function tryOut(
  name: string,
  attempt: () => string | Promise<string>,
  otherwise: Otherwise,
): Promise<Check> {
  try {
    return { name, status: "ok", detail: await attempt() };
  } catch (error) {
    const detail = (error as Error).message.replaceAll(/\s*\n\s*/g, " ");
    // The message of a MachineError already contains the fix.
    const fix = error instanceof MachineError ? undefined : otherwise.fix;
    return { name, status: otherwise.status, detail, fix };
  }
}
