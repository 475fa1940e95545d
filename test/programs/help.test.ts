// The help: each default once, options in groups, at most 80 columns.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { test } from "./plg.ts";

const commands = [
  "record",
  "replay",
  "show",
  "view",
  "diff",
  "import",
  "export",
  "init",
  "doctor",
  "demo",
];

describe("the help", () => {
  test.for(commands)("of %s", async (command, { plg }) => {
    const run = await plg.run([command, "--help"]);
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).not.toContain("default: []");
    expect(run.stdout).toMatch(new RegExp(`^Usage: plg ${command} `));
    for (const line of run.stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const options = run.stdout.split("\n").filter((line) => /^ {2}-/.test(line));
    for (const line of options) {
      expect(line, "no period").not.toMatch(/\.$/);
      expect(line.match(/default:/g) ?? [], "one default").toHaveLength(
        line.includes("default:") ? 1 : 0,
      );
    }
  });

  test("is the page docs/command-line.md; PLG_WRITE_PAGE=1 writes it", async ({ plg }) => {
    const page = new URL("../../docs/command-line.md", import.meta.url);
    const written = readFileSync(page, "utf8");
    const sections = [written.slice(0, written.indexOf("\n## ")).trimEnd()];
    for (const command of commands) {
      const { stdout } = await plg.run([command, "--help"]);
      sections.push(`## plg ${command}\n\n\`\`\`\n${stdout.trimEnd()}\n\`\`\``);
    }
    const fresh = `${sections.join("\n\n")}\n`;
    if (process.env["PLG_WRITE_PAGE"] === "1") writeFileSync(page, fresh);
    else expect(written).toBe(fresh);
  });

  test("groups the options of record and replay", async ({ plg }) => {
    for (const command of ["record", "replay"]) {
      const { stdout } = await plg.run([command, "--help"]);
      for (const group of ["Options:", "Output:", "Commands:", "Network:"])
        expect(stdout).toContain(`\n${group}\n`);
    }
  });

  test("is what errors point to", async ({ plg }) => {
    const misspelled = await plg.run(["record", "--no-such-option", "true"]);
    expect(misspelled.stderr).toBe(
      "plg: unknown option '--no-such-option'; see 'plg record --help'\n",
    );
    const unknown = await plg.run(["rekord"]);
    expect(unknown.stderr).toMatch(/; see 'plg --help'\n$/);
    const unquoted = await plg.run(["record", "redis-server", "--port", "7000"]);
    expect(unquoted.stderr).toBe(
      "plg: unknown option '--port'; if it is part of a command, quote the whole command: 'redis-server --port ...'\n",
    );
    expect(unquoted.exitCode).toBe(2);
  });
});
