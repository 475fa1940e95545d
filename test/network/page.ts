/**
 * The table of docs/network.md: what a process sees over a plain veth pair, and in the two kinds of
 * run of plg.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { differencesIn, type Network, type Scenario } from "./actor/scenario.ts";
import type { Observations, Seen } from "./networks.ts";

const path = fileURLToPath(new URL("../../docs/network.md", import.meta.url));
const begin = "<!-- What follows is written by the tests: npm run network-page -->\n";
const end = "<!-- This is written by hand again. -->\n";

/** The page with this table in the place of its own. */
export function pageWith(table: string): string {
  const page = readPage();
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${path} has no place for the table`);
  return page.slice(0, from + begin.length) + table + page.slice(to);
}

export function readPage(): string {
  return readFileSync(path, "utf8");
}

export function writePage(text: string): void {
  writeFileSync(path, text);
}

export function tableOf(scenarios: readonly Scenario[], plain: Seen): string {
  const rows = scenarios.map((scenario) => {
    const seen = plain.get(scenario.name) ?? { 4: [], 6: [] };
    const cells = [
      scenario.title,
      plainCell(seen),
      cell(scenario, "record"),
      cell(scenario, "replay"),
    ];
    return `| ${cells.join(" | ")} |\n`;
  });
  return `| scenario | plain veth | plg record | plg replay |\n|---|---|---|---|\n${rows.join("")}`;
}

/** The lines of IPv4, with what is otherwise on IPv6. */
function plainCell(seen: Observations): string {
  const lines = seen[4].map((line, i) => {
    const other = seen[6][i] ?? "";
    return line === other ? code(line) : `${code(line)} (IPv6: ${code(outcomeOf(other))})`;
  });
  return counted(lines).join("<br>");
}

function cell(scenario: Scenario, network: Network): string {
  const differences = differencesIn(scenario, network);
  if (differences.length === 0) return "same";
  const lines = differences.flatMap(({ family, lines: changed }) =>
    Object.values(changed).map((line) => (family ? `IPv${family}: ${code(line)}` : code(line))),
  );
  return [...lines, ...new Set(differences.map(({ why }) => why))].join("<br>");
}

/** One line for several that are the same and follow each other. */
function counted(lines: readonly string[]): string[] {
  const starts = lines.flatMap((line, i) => (line === lines[i - 1] ? [] : [i]));
  return starts.map((start, i) => {
    const count = (starts[i + 1] ?? lines.length) - start;
    return `${lines[start] ?? ""}${count > 1 ? ` (${count} times)` : ""}`;
  });
}

function outcomeOf(line: string): string {
  return line.slice(line.lastIndexOf(": ") + 2);
}

function code(text: string): string {
  return `\`${text}\``;
}
