/** Runs the recordings of a suite, several at a time. */
import type { CaseResult } from "../../suite/result.ts";
import { longestFirst } from "../../suite/shard.ts";
import type { SuiteCase } from "./discover.ts";
import { type CaseOptions, runCase } from "./run-case.ts";

/** `onResult` gets each result as it comes. Resolves to all of them, by name. */
export async function runSuite(
  cases: readonly SuiteCase[],
  jobs: number,
  options: CaseOptions,
  onResult: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const queue = longestFirst(cases);
  const results: CaseResult[] = [];
  const work = async (): Promise<void> => {
    while (!options.signal.aborted) {
      const next = queue.shift();
      if (!next) return;
      const result = await runCase(next, options);
      results.push(result);
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, cases.length) }, work));
  return results.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
