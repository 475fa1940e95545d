/**
 * `npm run bench`: what recording costs, compared with no tool at all. docs/benchmarks.md explains
 * the figures.
 */
import { chmodSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { MachineError, PlgError, UsageError } from "../src/base/errors.ts";
import { plural } from "../src/base/text.ts";
import { ExitCode, exitCodeOf } from "../src/cli/errors/exit-code.ts";
import { Benchmark, type Result } from "./benchmark.ts";
import { describeMachine, machineLine } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import { measurements } from "./measurements.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { missingFor } from "./programs.ts";
import { formatFigure, median } from "./results.ts";
import { table } from "./table.ts";

/** The project's folder, as seen from bench/dist/bench. */
const root = fileURLToPath(new URL("../../../", import.meta.url));
/** statfs(2): a dump in memory would cost less than one on disk. */
const TMPFS_MAGIC = 0x01021994;
const interruptedCode = 130;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(
      `${usage}\nMeasurements: ${measurements.map(({ name }) => name).join(", ")}\n`,
    );
    return ExitCode.ok;
  }
  if (process.geteuid?.() !== 0)
    throw new MachineError("it makes network namespaces, so it needs root: 'sudo npm run bench'");
  const chosen = choose(options.only);
  const missing = chosen.flatMap(describeMissing);
  for (const line of missing) progress(line);
  const machine = describeMachine(root);
  progress(machineLine(machine));
  const result = await inWorkFolder(options.folder, (folder, signal) =>
    new Benchmark({
      measurements: chosen.filter((each) => missingFor(each).length === 0),
      rounds: options.rounds,
      seconds: options.seconds,
      folder,
      plg: resolve(options.plg ?? join(root, "dist/cli/main.js")),
      signal,
      progress,
    }).run(),
  );
  if (options.json) printJson({ machine, missing, ...settingsOf(options), ...result });
  else printTable([machineLine(machine), ...missing], options, result);
  return result.failures.length === 0 ? ExitCode.ok : ExitCode.commandFailed;
}

function choose(names: readonly string[]): readonly Measurement[] {
  const known = measurements.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`there is no measurement '${unknown}': choose of ${known.join(", ")}`);
  return measurements.filter(({ name }) => names.length === 0 || names.includes(name));
}

function describeMissing(measurement: Measurement): string[] {
  const missing = missingFor(measurement);
  return missing.length === 0
    ? []
    : [`missing: ${missing.join(", ")}; '${measurement.name}' is skipped`];
}

/**
 * Makes a folder for the body, and removes it whatever happens. Ctrl-C and its kin abort the body's
 * signal.
 */
async function inWorkFolder<T>(
  parent: string,
  body: (folder: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => interrupt.abort());
  const folder = mkdtempSync(join(resolve(parent), "plg-bench-"));
  // PostgreSQL's user, too, has its files in there.
  chmodSync(folder, 0o755);
  if (statfsSync(folder).type === TMPFS_MAGIC)
    progress(`warning: ${parent} is in memory: give a folder on a disk with --folder`);
  try {
    return await body(folder, interrupt.signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settingsOf({ rounds, seconds }: Options): { rounds: number; seconds: number } {
  return { rounds, seconds };
}

function printTable(notes: readonly string[], { rounds, seconds }: Options, result: Result): void {
  const failures = result.failures.map((failure) => `failed: ${failure}`);
  const what = `Medians of ${plural(rounds, "round")} of ${seconds} s; plg/direct is the median of the rounds' own ratios.`;
  const lines = [...notes, "", table(result.rows), "", ...diskLines(result), what, ...failures];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function diskLines({ disk }: Result): string[] {
  if (disk.length === 0) return [];
  const [middle, least, most] = [median(disk), Math.min(...disk), Math.max(...disk)].map((rate) =>
    formatFigure(rate, "Gb/s"),
  );
  return [`The disk alone took ${middle} (${least} to ${most}); no dump grows faster for long.`];
}

function printJson({ rows, ...rest }: Result & Readonly<Record<string, unknown>>): void {
  const figures = rows.map((row) => ({
    name: row.name,
    unit: row.unit,
    direct: median(row.direct),
    plg: median(row.plg),
    ratio: median(row.ratios),
    dumpBytes: median(row.dumpBytes),
    rounds: { direct: row.direct, plg: row.plg, ratios: row.ratios },
  }));
  process.stdout.write(`${JSON.stringify({ ...rest, figures }, null, 2)}\n`);
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

function report(error: unknown): number {
  if (error instanceof DOMException && error.name === "AbortError") {
    progress("interrupted");
    return interruptedCode;
  }
  if (error instanceof PlgError) progress(error.message);
  else progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return error instanceof PlgError ? exitCodeOf(error) : ExitCode.bug;
}

process.exitCode = await main(process.argv.slice(2)).catch(report);
