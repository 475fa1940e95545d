/** A check of this machine: something that a run needs, tried out. */
import { MachineError } from "../base/errors.ts";

/** `missing`: nothing can be recorded without it. `limited`: all works, but for what is told. */
export type CheckStatus = "ok" | "limited" | "missing";

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, or what failed. */
  readonly detail: string;
  /** What to do about it, if it is not ok. */
  readonly mend?: string | undefined;
}

/** What it means when an attempt fails. */
export interface Otherwise {
  readonly status: Exclude<CheckStatus, "ok">;
  readonly mend: string;
}

/** The check that `attempt` makes: it tells what it found, or throws. */
export async function tryOut(
  name: string,
  attempt: () => string | Promise<string>,
  otherwise: Otherwise,
): Promise<Check> {
  try {
    return { name, status: "ok", detail: await attempt() };
  } catch (error) {
    const detail = (error as Error).message.replaceAll(/\s*\n\s*/g, " ");
    // What a MachineError says ends in the mend.
    const mend = error instanceof MachineError ? undefined : otherwise.mend;
    return { name, status: otherwise.status, detail, mend };
  }
}
