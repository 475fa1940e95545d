/**
 * Summarizes a recording: its origin, how its commands ended, and its connections. Folds the
 * decoder's items. Its memory does not grow with the number of recorded bytes.
 */
import { assert } from "../base/assert.ts";
import { printable } from "../base/printable.ts";
import { formatDuration } from "../base/text.ts";
import { recordedSeed } from "../determinism/core/scheme.ts";
import type { DumpEnd, DumpItem } from "../dump/format/decoder.ts";
import type { CommandExit, ContainerInfo, RunInfo } from "../dump/format/schema.ts";
import { ConnectionFold, type ConnectionReport } from "./connections.ts";

/** The summary of a dump. */
export interface DumpSummary extends ConnectionReport {
  readonly run: RunInfo;
  /** From the run's start to its end; in a truncated recording, to the last recorded item. */
  readonly durationNs: number;
  /** How the commands ended, by container. Undefined where a truncated recording does not say. */
  readonly exits: readonly (CommandExit | undefined)[];
  /** The number of packets other than TCP. */
  readonly packets: number;
  readonly end: DumpEnd;
}

/** Folds all items of one recording, for example from `readDump`. */
export function summarize(items: Generator<DumpItem, DumpEnd>): DumpSummary {
  const fold = new SummaryFold();
  for (;;) {
    const next = items.next();
    if (next.done) return fold.summary(next.value);
    fold.add(next.value);
  }
}

/** Folds the items of one recording, beginning with its run. */
export class SummaryFold {
  #run: RunInfo | undefined;
  #connections: ConnectionFold | undefined;
  readonly #exits: CommandExit[] = [];
  #packets = 0;
  #durationNs = 0;

  /** Takes the next item. */
  add(item: DumpItem): void {
    if (item.type === "run") {
      this.#run = item.run;
      this.#connections = new ConnectionFold(item.run);
      return;
    }
    if (item.type === "exit") {
      assert(this.#run, "a dump begins with its run");
      this.#exits[item.container] = item.exit;
      this.#durationNs = Number(item.endNs - this.#run.startNs);
      return;
    }
    if (item.type === "stream") this.#connections?.add(item);
    else this.#packets++;
    this.#durationNs = item.atNs;
  }

  /** Returns the summary. Call it after the last item. */
  summary(end: DumpEnd): DumpSummary {
    assert(this.#run && this.#connections, "a dump begins with its run");
    return {
      ...this.#connections.report(),
      run: this.#run,
      durationNs: this.#durationNs,
      exits: this.#run.containers.map((_, index) => this.#exits[index]),
      packets: this.#packets,
      end,
    };
  }
}

/** Renders the run: a line for the run itself, and one for each command. */
export function renderRun(summary: DumpSummary, columns: number = Infinity): string {
  const { run, durationNs, exits } = summary;
  const start = new Date(Number(run.startNs / 1_000_000n)).toISOString();
  const lasted = formatDuration(durationNs / 1e6);
  const when = `${start.slice(0, 19).replace("T", " ")} UTC`;
  const facts = isImported(run)
    ? [`captured ${when}`, `imported from ${capturesOf(run)}`, `lasted ${lasted}`]
    : [
        `recorded ${when}`,
        `${run.host} (${run.kernel}, ${run.hardware})`,
        `plg ${run.toolVersion}`,
        `lasted ${lasted}`,
      ];
  const commands = run.containers.map((container, index) =>
    isImported(run)
      ? ["", container.name, container.addresses.join(" ")]
      : commandCells(container, exits[index]),
  );
  const about = wrap(facts.map(printable), columns);
  return `${about}\n${alignLeft(commands, columns)}${renderLinks(run)}${renderSeed(run)}`;
}

/**
 * Whether a recording was imported from captures. Then it has no commands, and the hosts' own
 * addresses.
 */
function isImported({ subnets }: RunInfo): boolean {
  return subnets.length === 0;
}

function capturesOf({ notes }: RunInfo): string {
  const captures = notes["captures"];
  return typeof captures === "string" ? captures.split("\n").join(", ") : "captures";
}

/** The links between the containers, from the recorder's notes. */
function renderLinks({ notes }: RunInfo): string {
  if (typeof notes["links"] !== "string") return "";
  const lines = notes["links"].split("\n").map((link) => `  link ${inOneLine(link)}\n`);
  return typeof notes["seed"] === "number"
    ? `${lines.join("")}  links' seed ${notes["seed"]}\n`
    : lines.join("");
}

/** Whether the recorded commands' random bytes can be repeated. */
function renderSeed({ notes }: RunInfo): string {
  const seed = recordedSeed(notes);
  if (seed === undefined) return "";
  return seed === "unknown"
    ? "  random bytes follow from a seed in a way that this plg does not know\n"
    : `  random bytes follow from seed ${seed}\n`;
}

function commandCells(container: ContainerInfo, exit: CommandExit | undefined): string[] {
  const { name, addresses, command } = container;
  if (command === "") return ["", name, addresses[0] ?? "", "", "(the process that recorded this)"];
  return ["", name, addresses[0] ?? "", exitText(exit), inOneLine(command)];
}

function exitText(exit: CommandExit | undefined): string {
  const stopped = exit?.stoppedAtNs === undefined ? "" : "stopped, ";
  if (exit?.exitCode !== undefined) return `${stopped}exit ${exit.exitCode}`;
  return `${stopped}${exit?.signal ?? "end unknown"}`;
}

const longestCommand = 100;

/** A command may be a whole script, so line breaks are removed. */
function inOneLine(command: string): string {
  const line = printable(command.replaceAll(/\s+/g, " ").trim());
  return line.length > longestCommand ? `${line.slice(0, longestCommand - 1)}…` : line;
}

/** The facts as a sentence, in lines of at most `columns` columns where possible. */
function wrap(facts: readonly string[], columns: number): string {
  const lines: string[] = [];
  for (const [i, fact] of facts.entries()) {
    const part = i < facts.length - 1 ? `${fact},` : fact;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= columns)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part);
  }
  return lines.join("\n");
}

function alignLeft(rows: readonly (readonly string[])[], columns: number): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return rows.map((row) => `${clip(line(row).trimEnd(), columns)}\n`).join("");
}

function clip(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}
