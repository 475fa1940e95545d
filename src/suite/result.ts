/** The results of a suite. Pure. */
import { plural } from "../base/text.ts";
import type { DifferenceList } from "../replay/findings/differences.ts";
import type { Outcome } from "../report/outcome.ts";

/** In ascending order of gravity. */
type CaseState = "passed" | "missing" | "differed" | "broken" | "interrupted";

/** What came of one recording. */
export interface CaseResult {
  readonly name: string;
  readonly state: CaseState;
  readonly durationMs: number;
  /** One line: how many differences, or why there was no replay. */
  readonly summary: string;
  /** The replay, if there was one. */
  readonly replayed: { readonly outcome: Outcome; readonly list: DifferenceList } | undefined;
}

export function hasPassed({ state }: CaseResult): boolean {
  return state === "passed";
}

/** The last line of a suite: `50 recordings: 48 passed, 2 differed`. */
export function describeSuite(results: readonly CaseResult[]): string {
  const count = (state: CaseState): number =>
    results.filter((result) => result.state === state).length;
  const parts = (["passed", "differed", "missing", "broken", "interrupted"] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  return `${plural(results.length, "recording")}: ${parts.join(", ") || "nothing to do"}`;
}
