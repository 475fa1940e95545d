/**
 * docs/reliability.md, made of what the tests found: `npm run reliability` injects every fault many
 * times and writes the page.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";
import { type FaultName, type FaultRow, faults } from "./faults.ts";

const path = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));
/** What was found so far: one fault can be injected anew without all the others. */
const resultsPath = fileURLToPath(new URL("results.json", import.meta.url));

interface Result extends FaultRow {
  readonly measured: string;
}

export class ReliabilityPage implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const results = new Map(readResults().map((result) => [result.fault, result]));
    for (const module of modules)
      for (const test of module.children.allTests("passed")) {
        const row = test.meta().fault;
        if (row) results.set(row.fault, { ...row, measured: measured() });
      }
    const names = Object.keys(faults) as FaultName[];
    const rows = names.map((name) => results.get(name)).filter((result) => result !== undefined);
    writeFileSync(resultsPath, `${JSON.stringify(rows, undefined, 2)}\n`);
    if (rows.length === names.length) writeFileSync(path, page(rows));
    const missing = names.filter((name) => !results.has(name));
    console.log(missing.length > 0 ? `no result for ${missing.join(", ")}` : `wrote ${path}`);
  }
}

function readResults(): Result[] {
  return existsSync(resultsPath) ? (JSON.parse(readFileSync(resultsPath, "utf8")) as Result[]) : [];
}

function page(rows: readonly Result[]): string {
  return `# Reliability

<!-- Written by 'npm run reliability' from what the tests in test/faults found. -->

What happens when something breaks. Each row is a test that breaks it, as often as told, and looks at what is left. \`npm test\` does
the same with fewer repetitions; \`npm run reliability\` repeats it all and writes this page.

${table(rows)}

After every one of them no process of the run is left (daemons included), and with them go its namespaces; the dump was read to its end, or to where it is
torn off, with every check sum verified, and what it holds of a stream was compared byte by byte with what was sent. Where plg could still say something it
did, in one line, and the exit code was looked at.

Figures vary from run to run. These are of ${[...new Set(rows.map((row) => row.measured))].join("; ")}.
`;
}

function table(rows: readonly FaultRow[]): string {
  const lines = rows.map(
    ({ fault, times, lost, afterwards }) =>
      `| ${faults[fault].title} | ${times} | ${lost} | ${afterwards} |`,
  );
  const head = ["| fault | times | what was lost | state afterwards |", "|---|---|---|---|"];
  return [...head, ...lines].join("\n");
}

function measured(): string {
  const day = new Date().toISOString().slice(0, 10);
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 1e9);
  return `${day}, on ${cpus().length} cores (${cpu?.model.trim() ?? arch()}), ${gigabytes} GB, Linux ${release().split("-")[0]}, Node ${process.versions.node}`;
}
