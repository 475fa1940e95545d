/** Plays one scenario in all the ways of a plan. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { placeOf } from "../programs/program-path.ts";
import type { Scenario } from "./scenario.ts";
import { type Finding, type Stage, Trial } from "./trial.ts";
import type { Way } from "./ways.ts";

export interface Plan {
  readonly isPlain: boolean;
  readonly isRecorded: boolean;
  readonly ways: readonly Way[];
}

/** Finds Python itself: what is on the PATH may be a script that looks for it each time. */
export function findStage(root: string = process.cwd()): Stage {
  const command = placeOf("python3") ?? "python3";
  const script = "import sys; print(sys.executable)";
  const { stdout } = spawnSync(command, ["-c", script], { encoding: "utf8" });
  return { python: stdout.trim(), actor: join(root, "test/e2e-fuzz/actor.py") };
}

/** Without a network that works, or a recording, there is nothing to go on with. */
export async function play(scenario: Scenario, stage: Stage, plan: Plan): Promise<Finding[]> {
  const trial = new Trial(scenario, stage);
  try {
    const plain = plan.isPlain ? await trial.runPlainly() : [];
    if (plain.length > 0 || !plan.isRecorded) return plain;
    const recorded = await trial.record();
    if (recorded.some(({ kind }) => !isOfTshark(kind))) return recorded;
    const findings = [...recorded];
    for (const way of plan.ways) findings.push(...(await trial.replay(way)));
    return findings;
  } finally {
    trial.close();
  }
}

/** A recording that tshark reads otherwise can be replayed all the same. */
function isOfTshark(kind: string): boolean {
  return kind === "record: tshark";
}
