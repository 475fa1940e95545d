import { describe, expect, test } from "vitest";
import { generate } from "../../e2e-fuzz/generate.ts";
import { problemsOf } from "../../e2e-fuzz/rules.ts";
import type { Scenario } from "../../e2e-fuzz/scenario.ts";
import { shrink } from "../../e2e-fuzz/shrink.ts";

const hasReset = ({ steps }: Scenario): boolean =>
  steps.some((step) => step.do === "end" && step.ending.how === "reset");

const fails = ({ steps }: Scenario): boolean =>
  steps.some((step) => step.do === "halfClose") &&
  steps.some((step) => step.do === "transfer" && step.bytes > 5000);

/** A scenario from a seed on that shows something. */
function seedFor(shows: (scenario: Scenario) => boolean, least: number): Scenario {
  for (let seed = 0; ; seed++) {
    const scenario = generate(seed);
    if (shows(scenario) && scenario.connections.length >= least) return scenario;
  }
}

describe("shrink", () => {
  test("leaves what is needed to fail, and nothing else", async () => {
    const small = await shrink(seedFor(hasReset, 30), async (scenario) => hasReset(scenario));
    expect(small.connections).toHaveLength(1);
    expect(small.steps.length).toBeLessThanOrEqual(3);
    expect(hasReset(small)).toBe(true);
  });

  test("keeps two that fail only together", async () => {
    const small = await shrink(seedFor(fails, 20), async (scenario) => fails(scenario));
    expect(fails(small)).toBe(true);
    expect(small.connections.length).toBeLessThanOrEqual(2);
  });

  test("never tries what breaks the rules", async () => {
    const tried: Scenario[] = [];
    await shrink(seedFor(hasReset, 20), async (scenario) => {
      tried.push(scenario);
      return hasReset(scenario);
    });
    expect(tried.length).toBeGreaterThan(5);
    for (const scenario of tried) expect(problemsOf(scenario)).toEqual([]);
  });

  test("stops when it is enough", async () => {
    const scenario = seedFor(hasReset, 20);
    expect(
      await shrink(
        scenario,
        async () => true,
        () => true,
      ),
    ).toBe(scenario);
  });
});
