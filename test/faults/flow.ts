/** Flows as the tests see them: see actors/flow.mjs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Finished } from "../programs/plg.ts";
import { eventually } from "../programs/waiting.ts";

/** The program that sends and checks flows, as a shell word. */
export const flow: string = `'${process.execPath}' '${fileURLToPath(new URL("actors/flow.mjs", import.meta.url))}'`;

/**
 * A recording of a flow of so many bytes; how many are sent so far is noted in the file `count`.
 */
export function recordFlow(bytes: number | "endless", dump = "dump.traffic"): string[] {
  return [
    "record",
    "--wait-listen=10s",
    `-f${dump}`,
    `server=exec ${flow} serve 7000`,
    `client=exec ${flow} send 10.0.0.1 7000 ${bytes} count`,
  ];
}

/** The figure that a flow's receiver or sender printed, such as `received 123 right`. */
export function figureIn(run: Pick<Finished, "stdout">, pattern: RegExp): number {
  const match = pattern.exec(run.stdout);
  if (match?.[1] === undefined) throw new Error(`nothing like ${pattern} in:\n${run.stdout}`);
  return Number(match[1]);
}

function sentSoFar(folder: string): number {
  try {
    return Number(readFileSync(join(folder, "count"), "utf8"));
  } catch {
    return 0;
  }
}

/**
 * Waits until the sender has sent nothing for a while: it is held up. Resolves to how much it has
 * sent.
 */
export async function heldUp(folder: string): Promise<number> {
  let last = 0;
  let sinceMs = performance.now();
  await eventually("the sender is held up", () => {
    const now = sentSoFar(folder);
    if (now !== last) [last, sinceMs] = [now, performance.now()];
    return last > 0 && performance.now() - sinceMs > 500;
  });
  return last;
}
