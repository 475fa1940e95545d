/** Explains why a dump has no end: its recorder is still running, or was cut off. */
import { statSync } from "node:fs";
import type { DumpEnd } from "../../dump/format/decoder.ts";
import type { CommandExit } from "../../dump/format/schema.ts";
import type { Terminal } from "./terminal.ts";

/** The state of a dump's end. */
export type Completeness = "complete" | "being recorded" | "cut off";

/**
 * Determines the completeness of a dump. `readSinceMs` is the time at which reading began, from
 * `Date.now()`: a recorder that ended since then has changed the file.
 */
export async function completenessOf(
  path: string,
  end: DumpEnd,
  readSinceMs: number,
): Promise<Completeness> {
  if (end.complete) return "complete";
  const stats = statSync(path);
  if (!stats.isFile()) return "cut off";
  // The module for system calls loads slowly, and a complete dump does not need it.
  const { isBeingRecorded } = await import("../../dump/store/destination.ts");
  return stats.mtimeMs >= readSinceMs || isBeingRecorded(path) ? "being recorded" : "cut off";
}

interface IncompleteDump {
  readonly completeness: Completeness;
  readonly end: DumpEnd;
  /** By container. */
  readonly exits: readonly (CommandExit | undefined)[];
}

/** Warns that the dump holds only the beginning of a run, and why. */
export function warnIfIncomplete(terminal: Terminal, path: string, dump: IncompleteDump): void {
  const { completeness, end, exits } = dump;
  if (completeness === "complete") return;
  if (completeness === "being recorded")
    return terminal.warn(`warning: ${path} is still being recorded: this is what it holds so far`);
  const { tornAt } = end;
  const where = tornAt === undefined ? "before its end" : `within a record, at byte ${tornAt}`;
  const isUnknown = exits.includes(undefined);
  const unknown = isUnknown ? "; it does not say how every command ended" : "";
  terminal.warn(`warning: ${path} was cut off ${where}${unknown}`);
}
