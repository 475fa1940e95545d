/** Concludes a replay: derives differences, summary, JSON, JUnit and page from one outcome. */
import { printableJson } from "../../base/printable.ts";
import { formatBytes, formatDuration, plural } from "../../base/text.ts";
import type { ReplayResult } from "../../replay/session.ts";
import {
  type DifferenceView,
  renderDifferences,
  reportDifferences,
} from "../../report/differences.ts";
import { countOf, renderJunit } from "../../report/junit.ts";
import { type Outcome, outcomeOf, type ProcessFacts } from "../../report/outcome.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";
import { exitCodeOfReplay } from "../errors/exit-code.ts";
import { describeFailure, hasFailed } from "../terminal/command-ends.ts";
import { tellDrops } from "../terminal/drops.ts";
import type { Interruption } from "../terminal/interrupt.ts";
import { paintFor } from "../terminal/paint.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { writePage } from "./page.ts";
import { writeReport } from "./report-file.ts";

/** The options of `plg replay` that concern reports. */
export interface ReportFlags {
  readonly file: string;
  readonly json?: boolean;
  readonly compare: boolean;
  readonly all?: boolean;
  readonly junit?: string;
  readonly page?: string;
}

/** Prints and writes the findings of a replay, and returns plg's exit code. */
export function concludeReplay(
  terminal: Terminal,
  flags: ReportFlags,
  live: readonly ContainerPlan[],
  result: ReplayResult,
  interrupted: Interruption | undefined,
): number {
  const { differences, played, total, counts, durationMs } = result;
  const outcome = outcomeOf({
    processes: live.map(({ name }, i) => factsOf(name, result, i)),
    interrupted,
    played,
    total,
    compared: flags.compare,
  });
  const exitCode = exitCodeOfReplay(outcome.verdict, interrupted);
  if (flags.json) process.stdout.write(`${jsonOf(flags.file, live, result, outcome, exitCode)}\n`);
  else process.stdout.write(renderDifferences(differences, viewOf(flags)));
  terminal.result(
    `replayed ${played} of ${plural(total, "event")}, ${formatBytes(counts.bytes)} in ${formatDuration(durationMs)}`,
    outcome.text,
    outcome.verdict === "passed",
  );
  tellDrops(terminal, counts);
  // Files come last: if a write fails, the findings have been printed.
  const junit = {
    command: "plg replay",
    name: flags.file,
    durationMs,
    toMask: "--ignore",
  } as const;
  if (flags.junit !== undefined)
    writeReport("--junit", flags.junit, renderJunit(junit, outcome, differences));
  if (flags.page !== undefined)
    writePage(flags.page, flags.file, "--page", { outcome, differences });
  return exitCode;
}

function viewOf({ all }: ReportFlags): DifferenceView {
  return {
    all: all === true,
    toShowAll: "--all",
    toKeepMore: "--max-differences",
    toMask: "--ignore",
    paint: paintFor(process.stdout),
  };
}

function factsOf(name: string, { differences, ends }: ReplayResult, i: number): ProcessFacts {
  const end = ends[i];
  const failure = end && hasFailed(end) ? `the command ${describeFailure(end)}` : undefined;
  return { name, differences: countOf(differences, name), failure };
}

function jsonOf(
  file: string,
  live: readonly ContainerPlan[],
  { differences, played, total, counts, durationMs, ends }: ReplayResult,
  { verdict }: Outcome,
  exitCode: number,
): string {
  const { links, dropped } = counts;
  const commands = live.map(({ name }, i) => ({ name, ...ends[i] }));
  const summary = { file, outcome: verdict, exitCode, played, total, durationMs };
  return printableJson({
    ...summary,
    links,
    dropped,
    commands,
    ...reportDifferences(differences),
  });
}
