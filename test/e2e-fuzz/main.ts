/**
 * `npm run e2e-fuzz -- --seeds 200`: runs random scenarios plainly, under `plg record` and under
 * `plg replay`, and compares. See docs/e2e-fuzzing.md. What fails is made small and written to
 * test/e2e-fuzz/found/; the exit code is 1 then.
 */
import { parseArgs } from "node:util";
import { Chance } from "./chance.ts";
import { generate } from "./generate.ts";
import { findStage, type Plan, play } from "./play.ts";
import { problemsOf } from "./rules.ts";
import { readSaved, save } from "./saved.ts";
import type { Scenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import type { Finding } from "./trial.ts";
import { allWays, someWays, stageOf, type Way } from "./ways.ts";

/**
 * How often a finding is tried again before it is made small; one that does not show each time, as
 * often each time.
 */
const repetitions = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "2" },
    replays: { type: "string", default: "some" },
    without: { type: "string", default: "" },
    plain: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    scenario: { type: "string" },
    found: { type: "string", default: "test/e2e-fuzz/found" },
    "shrink-seconds": { type: "string", default: "90" },
  },
});

const stage = { ...findStage(), isKept: values.keep };
const without = values.without === "" ? [] : values.without.split(",");

function planOf(scenario: Scenario): Plan {
  if (values.plain) return { isPlain: true, isRecorded: false, ways: [] };
  return { isPlain: true, isRecorded: true, ways: waysOf(scenario) };
}

function waysOf(scenario: Scenario): Way[] {
  if (values.replays === "all") return allWays(scenario);
  return someWays(scenario, new Chance(scenario.seed + 1));
}

/** Nothing but what shows findings of one kind. */
function planFor(kind: string, scenario: Scenario): Plan {
  const isPlain = kind.startsWith("plain");
  const ways = allWays(scenario).filter((way) => kind.startsWith(`${stageOf(way)}:`));
  return { isPlain, isRecorded: !isPlain, ways };
}

async function shows(kind: string, scenario: Scenario): Promise<boolean> {
  const findings = await play(scenario, stage, planFor(kind, scenario));
  return findings.some((finding) => finding.kind === kind);
}

/** Whether all was well. */
async function tryScenario(scenario: Scenario, plan: Plan): Promise<readonly Finding[]> {
  const broken = problemsOf(scenario);
  if (broken.length > 0)
    throw new Error(`scenario ${scenario.seed} breaks rules: ${broken.join("; ")}`);
  const findings = await play(scenario, stage, plan);
  for (const { kind, text } of findings)
    console.log(`seed ${scenario.seed}: ${kind}\n${text.replaceAll(/^/gm, "    ")}`);
  return findings;
}

/** Makes it small, and writes it to a file. */
async function keep(scenario: Scenario, kind: string): Promise<void> {
  const small = await smallOf(scenario, kind);
  const path = save(values.found, { ...small, found: kind });
  const { connections, steps } = small;
  console.log(
    `seed ${scenario.seed}: ${connections.length} connections and ${steps.length} steps are left of it: npm run e2e-fuzz -- --scenario ${path}`,
  );
}

async function smallOf(scenario: Scenario, kind: string): Promise<Scenario> {
  const untilMs = performance.now() + Number(values["shrink-seconds"]) * 1000;
  if (performance.now() >= untilMs) return scenario;
  let shown = 0;
  for (let i = 0; i < repetitions; i++) shown += Number(await shows(kind, scenario));
  console.log(`seed ${scenario.seed}: again in ${shown} of ${repetitions} repetitions`);
  const tries = shown === repetitions ? 1 : repetitions;
  const fails = async (candidate: Scenario): Promise<boolean> => {
    for (let i = 0; i < tries; i++) if (await shows(kind, candidate)) return true;
    return false;
  };
  return shown === 0 ? scenario : shrink(scenario, fails, () => performance.now() > untilMs);
}

async function runSaved(path: string): Promise<number> {
  const { found, ...scenario } = readSaved(path);
  const findings = await tryScenario(scenario, planFor(found, scenario));
  console.log(`${path}: ${findings.length} findings`);
  return findings.length;
}

async function runSeeds(from: number, count: number): Promise<number> {
  const startedMs = performance.now();
  const failed: number[] = [];
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + count) {
      const scenario = generate(next++, without);
      const [first] = await tryScenario(scenario, planOf(scenario));
      if (!first) continue;
      failed.push(scenario.seed);
      await keep(scenario, first.kind);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const seeds = failed.toSorted((a, b) => a - b).join(" ");
  console.log(
    `${count} seeds (${from} to ${from + count - 1}) in ${seconds} s: ${failed.length} with findings ${seeds}`,
  );
  return failed.length;
}

const failures =
  values.scenario === undefined
    ? await runSeeds(Number(values.from), Number(values.seeds))
    : await runSaved(values.scenario);
process.exitCode = failures > 0 ? 1 : 0;
