/**
 * docs/reliability.md, made of what the tests found: `npm run reliability` injects every fault many times
 * and writes the page.
 */
import { writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";
import { type FaultName, type FaultRow, faults } from "./faults.ts";

const path = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

export class ReliabilityPage implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = new Map<FaultName, FaultRow>();
    for (const module of modules)
      for (const test of module.children.allTests("passed")) {
        const row = test.meta().fault;
        if (row) rows.set(row.fault, row);
      }
    const missing = (Object.keys(faults) as FaultName[]).filter((name) => !rows.has(name));
    if (missing.length > 0) {
      console.log(`docs/reliability.md stays as it is: no result for ${missing.join(", ")}`);
      process.exitCode = 1;
    } else {
      writeFileSync(path, page([...rows.values()]));
      console.log("wrote docs/reliability.md");
    }
  }
}

function page(rows: readonly FaultRow[]): string {
  return `# Reliability

<!-- Written by 'npm run reliability' from what the tests in test/faults found. -->

What happens when something breaks. Each row is a test that breaks it, as often as told, and looks at what is left. \`npm test\` does
the same with fewer repetitions; \`npm run reliability\` repeats it all and writes this page.

${table(rows)}

After every one of them no process of the run is left (daemons included), and with them go its namespaces; the dump was read to its end, or to where it is
torn off, with every check sum verified, and what it holds of a stream was compared byte by byte with what was sent. Where plg could still say something it
did, in one line, and the exit code was looked at.

${measured()}
`;
}

function table(rows: readonly FaultRow[]): string {
  const order = Object.keys(faults);
  const sorted = rows.toSorted((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault));
  const lines = sorted.map(
    ({ fault, times, lost, afterwards }) =>
      `| ${faults[fault].title} | ${times} | ${lost} | ${afterwards} |`,
  );
  return [
    "| fault | times | what was lost | state afterwards |",
    "|---|---|---|---|",
    ...lines,
  ].join("\n");
}

function measured(): string {
  const day = new Date().toISOString().slice(0, 10);
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 1e9);
  return `Figures vary from run to run. These are of ${day}, on ${cpus().length} cores (${cpu?.model.trim() ?? arch()}), ${gigabytes} GB, Linux ${release().split("-")[0]}, Node ${process.versions.node}.`;
}
