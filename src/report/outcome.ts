/**
 * Decides the outcome of a replay: pure. The exit code, the summary, JSON, JUnit and the page all
 * use it, so they always agree on success and failure.
 *
 * docs/ci.md has the table of all combinations, which a test generates.
 */
import { plural } from "../base/text.ts";

/** The facts about one live process. */
export interface ProcessFacts {
  readonly name: string;
  /** The number of its differences from the recording. */
  readonly differences: number;
  /** How its command failed by itself, if it did. */
  readonly failure?: string | undefined;
}

/** The facts about a replay. */
export interface ReplayFacts {
  readonly processes: readonly ProcessFacts[];
  /** The signal that cut the replay off. */
  readonly interrupted?: { readonly signal: string } | undefined;
  readonly played: number;
  readonly total: number;
  /** Whether bytes were compared. */
  readonly compared: boolean;
}

/** In ascending order of precedence. */
export type Verdict = "passed" | "failed" | "differed" | "interrupted";

export interface Outcome {
  readonly verdict: Verdict;
  /** The end of the summary: `no difference`. */
  readonly text: string;
  /** By live process, in container order. */
  readonly processes: readonly ProcessOutcome[];
}

/** A process's outcome in JUnit's terms. */
export type ProcessOutcome = { readonly name: string } & (
  | { readonly result: "success" }
  | { readonly result: "failure"; readonly message: string }
  | { readonly result: "error"; readonly type: "interrupted" | "failed"; readonly message: string }
);

export function outcomeOf(facts: ReplayFacts): Outcome {
  const verdict = verdictOf(facts);
  return {
    verdict,
    text: textOf(facts),
    processes: facts.processes.map((process) => ({
      name: process.name,
      ...outcomeOfProcess(process, facts),
    })),
  };
}

function verdictOf({ interrupted, processes }: ReplayFacts): Verdict {
  if (interrupted) return "interrupted";
  if (processes.some(({ differences }) => differences > 0)) return "differed";
  return processes.some(({ failure }) => failure !== undefined) ? "failed" : "passed";
}

function textOf({ interrupted, processes, compared }: ReplayFacts): string {
  const count = processes.reduce((sum, { differences }) => sum + differences, 0);
  const failed = processes.filter(({ failure }) => failure !== undefined).length;
  const found = count > 0 ? plural(count, "difference") : "no difference";
  return [
    compared || count > 0 ? found : "bytes not compared",
    ...(failed > 0 ? [`${plural(failed, "command")} failed`] : []),
    ...(interrupted ? [`cut off by ${interrupted.signal}`] : []),
  ].join(", ");
}

function outcomeOfProcess(
  { differences, failure }: ProcessFacts,
  { interrupted, played, total }: ReplayFacts,
): ProcessOutcomeWithoutName {
  if (differences > 0)
    return {
      result: "failure",
      message: `${plural(differences, "difference")} from the recording`,
    };
  if (interrupted)
    return {
      result: "error",
      type: "interrupted",
      message: `the replay was cut off by ${interrupted.signal} after ${played} of ${plural(total, "event")}`,
    };
  if (failure !== undefined) return { result: "error", type: "failed", message: failure };
  return { result: "success" };
}

type WithoutName<T> = T extends unknown ? Omit<T, "name"> : never;
type ProcessOutcomeWithoutName = WithoutName<ProcessOutcome>;
