/** A test that injects a fault, a number of times, and tells what came of it. */
import { type Plg, type Running, test } from "../programs/plg.ts";
import { processesInPidNamespace } from "../programs/processes.ts";
import { type FaultName, type FaultRow, faults } from "./faults.ts";

declare module "vitest" {
  interface TaskMeta {
    /** For the page: see page.ts. */
    fault?: FaultRow;
  }
}

export interface FaultContext {
  readonly plg: Plg;
  readonly folder: string;
  /** How often to inject the fault. */
  readonly times: number;
}

/** Whether the counts and the figures for the page are wanted. */
const many: boolean = process.env["PLG_FAULTS"] === "many";

/**
 * Declares the test of one fault. That no process of its runs is left is asserted by the fixture;
 * `inject` asserts the rest, and answers what was lost and what was found afterwards, for the page.
 */
export function fault(
  name: FaultName,
  inject: (context: FaultContext) => Promise<{ lost: string; afterwards: string }>,
): void {
  const { title, times: counts } = faults[name];
  const times = counts[many ? 1 : 0];
  test(title, { timeout: times * 60_000 }, async ({ plg, folder, task }) => {
    const found = await inject({ plg, folder, times });
    task.meta.fault = { fault: name, times, ...found };
  });
}

/** Runs `round` as often as the fault is to be injected, one after the other. */
export async function rounds<T>(
  { times }: FaultContext,
  round: (number: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await round(i));
  return results;
}

/** The PID of the process of a run whose command line has this in it. */
export function pidOf(run: Running, part: string): number {
  const lines = processesInPidNamespace(run.pidNamespace ?? "").filter((line) =>
    line.includes(part),
  );
  if (lines.length !== 1) throw new Error(`not one process with '${part}':\n${lines.join("\n")}`);
  return Number.parseInt(lines[0] ?? "", 10);
}

/** `few`, or `least to most`. */
export function range(values: readonly number[], unit: string): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) =>
    value >= 100 ? Math.round(value) : Number(value.toPrecision(2)),
  );
  return least === most ? `${least} ${unit}` : `${least} to ${most} ${unit}`;
}
