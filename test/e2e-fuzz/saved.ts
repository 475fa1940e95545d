/** Scenarios in files, with what they show. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scenario } from "./scenario.ts";

/** A scenario that was found to fail, and the kind of the finding. */
export interface SavedScenario extends Scenario {
  readonly found: string;
}

/** Writes it into a folder; returns the path. */
export function save(folder: string, saved: SavedScenario): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `seed-${saved.seed}.json`);
  writeFileSync(path, textOf(saved));
  return path;
}

export function readSaved(path: string): SavedScenario {
  return JSON.parse(readFileSync(path, "utf8")) as SavedScenario;
}

/** One step, connection or listener a line. */
function textOf(saved: SavedScenario): string {
  const fields = Object.entries(saved).map(([name, value]: [string, unknown]) => {
    const isList = Array.isArray(value) && value.some((one) => typeof one === "object");
    return `  ${JSON.stringify(name)}: ${isList ? linesOf(value) : JSON.stringify(value)}`;
  });
  return `{\n${fields.join(",\n")}\n}\n`;
}

function linesOf(values: readonly unknown[]): string {
  return `[\n    ${values.map((one) => JSON.stringify(one)).join(",\n    ")}\n  ]`;
}
