// One outcome, whoever asks: exit code, summary, JSON, JUnit and page agree in every combination.
import { readFileSync, writeFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exitCodeOfReplay } from "../../../src/cli/errors/exit-code.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { DifferenceLog } from "../../../src/replay/findings/difference-log.ts";
import { renderJunit } from "../../../src/report/junit.ts";
import { type Outcome, outcomeOf, type ReplayFacts } from "../../../src/report/outcome.ts";

const page = new URL("../../../docs/ci.md", import.meta.url);

/** Every combination of what can happen, in words and as facts. */
const causes = [
  { name: "no", facts: {} },
  { name: "Ctrl-C", facts: { interrupted: { signal: "SIGINT", exitCode: 130 } } },
  { name: "SIGTERM", facts: { interrupted: { signal: "SIGTERM", exitCode: 143 } } },
] as const;

interface Case {
  readonly words: readonly string[];
  readonly facts: ReplayFacts & {
    readonly interrupted?: { readonly signal: string; readonly exitCode: number };
  };
}

const cases: readonly Case[] = causes.flatMap(({ name, facts }) =>
  [0, 2].flatMap((differences) =>
    [false, true].map((fails) => ({
      words: [name, differences === 0 ? "none" : String(differences), fails ? "yes" : "no"],
      facts: {
        ...facts,
        played: 12,
        total: 12,
        compared: true,
        processes: [
          {
            name: "client",
            differences,
            failure: fails ? "the command failed with exit code 1 after 0.10 s" : undefined,
          },
        ],
      },
    })),
  ),
);

function junitOf(outcome: Outcome): string {
  const log = new DifferenceLog(0);
  return renderJunit(
    { command: "plg replay", name: "dump.traffic", durationMs: 0 },
    outcome,
    log.list(),
  );
}

function countsOf(xml: string): { failures: number; errors: number } {
  const [, failures, errors] = /failures="(\d+)" errors="(\d+)"/.exec(xml) ?? [];
  return { failures: Number(failures), errors: Number(errors) };
}

function resultOf(outcome: Outcome): string {
  const [process] = outcome.processes;
  return process?.result === "success" ? "success" : `\`<${process?.result}>\``;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(): string {
  const head = [
    "cut off by",
    "differences",
    "a command failed",
    "exit code",
    "summary ends in",
    "`--json`: `outcome`",
    "JUnit, per process",
    "page shows",
  ];
  const rows = cases.map(({ words, facts }) => {
    const outcome = outcomeOf(facts);
    return [
      ...words,
      String(exitCodeOfReplay(outcome.verdict, facts.interrupted)),
      `\`${outcome.text}\``,
      `\`${outcome.verdict}\``,
      resultOf(outcome),
      `\`${outcome.verdict}\``,
    ];
  });
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

test.for(cases)("$words: all agree with the exit code", ({ facts }) => {
  const outcome = outcomeOf(facts);
  const exitCode = exitCodeOfReplay(outcome.verdict, facts.interrupted);
  const xml = junitOf(outcome);
  const { failures, errors } = countsOf(xml);
  expect(failures + errors === 0).toBe(exitCode === 0);
  expect(outcome.verdict === "passed").toBe(exitCode === 0);
  expect(xml.match(/<(failure|error) /g) ?? []).toHaveLength(failures + errors);
  if (exitCode !== 0) expect(outcome.text).not.toBe("no difference");
  if (exitCode === 3) expect(failures).toBe(1);
});

test("docs/ci.md has the table", () => {
  const text = readFileSync(page, "utf8");
  const [begin, end] = ["<!-- outcomes -->\n", "<!-- end of outcomes -->"];
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  const fresh = `${before}\n${table()}\n\n${text.slice(text.indexOf(end))}`;
  if (process.env["PLG_WRITE_PAGE"] === "1") writeFileSync(page, fresh);
  else expect(text, "PLG_WRITE_PAGE=1 writes it").toBe(fresh);
});

test("bytes that are not compared are not called equal", () => {
  const processes = [{ name: "a", differences: 0 }];
  const outcome = outcomeOf({ processes, played: 1, total: 1, compared: false });
  expect(outcome).toMatchObject({ verdict: "passed", text: "bytes not compared" });
});

test("of several processes each has its own result", () => {
  const processes = [
    { name: "a", differences: 1 },
    { name: "b", differences: 0, failure: "the command failed" },
    { name: "c", differences: 0 },
  ];
  const outcome = outcomeOf({ processes, played: 1, total: 2, compared: true });
  expect(outcome).toMatchObject({ verdict: "differed", text: "1 difference, 1 command failed" });
  expect(outcome.processes.map(({ result }) => result)).toEqual(["failure", "error", "success"]);
});

const differed: Difference = {
  kind: "unexpected-connection",
  process: "client",
  server: 'sp\u0001"\u{d800}&',
  serverPort: 1,
  family: 4,
  beforeEvent: 0,
  recordedConnections: 0,
  otherFamilyConnections: 0,
};

test("JUnit shows the differences of each process", () => {
  const log = new DifferenceLog(1);
  for (const serverPort of [1, 2, 3]) log.add({ ...differed, serverPort });
  const processes = [
    { name: "client", differences: 3 },
    { name: "server", differences: 0 },
  ];
  const outcome = outcomeOf({ processes, played: 1, total: 1, compared: true });
  const xml = renderJunit(
    { command: "plg replay", name: "a <dump>", durationMs: 1234 },
    outcome,
    log.list(),
  );
  expect(xml).toContain('<testsuites name="plg replay" tests="2" failures="1" errors="0"');
  expect(xml).toContain('<testcase classname="a &lt;dump&gt;" name="server" time="1.234"/>');
  expect(xml).toContain('message="3 differences from the recording"');
  expect(xml).toContain('sp\u{fffd}"\u{fffd}&amp;:1');
  expect(xml).toContain("\nand 2 more</failure>");
});

test("whatever processes are called and send, JUnit is well-formed XML", () => {
  const any = fc.string({ unit: "binary", maxLength: 8 });
  fc.assert(
    fc.property(fc.uniqueArray(any, { maxLength: 3 }), any, any, (names, name, server) => {
      const log = new DifferenceLog(9);
      for (const process of names) log.add({ ...differed, process, server });
      const processes = names.map((process) => ({ name: process, differences: 1 }));
      const outcome = outcomeOf({ processes, played: 1, total: 1, compared: true });
      const xml = renderJunit({ command: "plg replay", name, durationMs: 0 }, outcome, log.list());
      expect(xml).not.toMatch(/[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]/u);
      expect(xml.match(/<testcase /g) ?? []).toHaveLength(names.length);
      const bare = xml.replaceAll(/<\/?[a-z]+( [a-z]+="[^"<&]*(&[^;]+;[^"<&]*)*")*\/?>/g, "");
      expect(bare).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>[^<]*$/);
    }),
  );
});
