// The help: each default once, options in groups, at most 80 columns.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect } from "vitest";
import { type Finished, Plg, test } from "./plg.ts";

const commands = `record replay test show view diff import export init doctor demo
  completion man`.split(/\s+/);
const root = new URL("../..", import.meta.url);

/** Each help is asked for once. */
const helps = new Map<string, Promise<Finished>>();
function helpOf(command: string): Promise<Finished> {
  const known = helps.get(command) ?? new Plg(tmpdir()).run([command, "--help"]);
  helps.set(command, known);
  return known;
}

describe("the help", () => {
  test.for(commands)("of %s", async (command) => {
    const run = await helpOf(command);
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

  test("is the page docs/command-line.md; PLG_WRITE_PAGE=1 writes it", async () => {
    const page = new URL("docs/command-line.md", root);
    const written = readFileSync(page, "utf8");
    const sections = [written.slice(0, written.indexOf("\n## ")).trimEnd()];
    for (const command of commands) {
      const { stdout } = await helpOf(command);
      sections.push(`## plg ${command}\n\n\`\`\`\n${stdout.trimEnd()}\n\`\`\``);
    }
    const fresh = `${sections.join("\n\n")}\n`;
    if (process.env["PLG_WRITE_PAGE"] === "1") writeFileSync(page, fresh);
    else expect(written).toBe(fresh);
  });

  test("groups the options of record and replay", async () => {
    for (const command of ["record", "replay"]) {
      const { stdout } = await helpOf(command);
      for (const group of ["Options:", "Output:", "Commands:", "Network:"])
        expect(stdout).toContain(`\n${group}\n`);
    }
  });
});

describe("the help as a source", () => {
  test("has only options that a test uses", async () => {
    const files = readdirSync(new URL("test", root), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && name !== "programs/help.test.ts")
      .map((name) => readFileSync(new URL(`test/${name}`, root), "utf8"));
    const untested: string[] = [];
    for (const command of commands) {
      // A file that uses an option of this command names the command, too.
      const using = files.filter((text) => new RegExp(`["'\`. ]${command}[\\s"'\`]`).test(text));
      const { stdout } = await helpOf(command);
      for (const [, short, long] of stdout.matchAll(/^ {2}(?:(-\w)(?:, )?)?(--[\w-]+)?/gm)) {
        const names = [short, long].filter((name) => name !== undefined).join("|");
        if (names === "" || long === "--help") continue;
        if (!using.some((text) => new RegExp(`["'\` ](${names})(?![\\w-])`).test(text)))
          untested.push(`${command} ${names}`);
      }
    }
    expect(untested).toEqual([]);
  });

  test("is also the manual page docs/plg.1; PLG_WRITE_PAGE=1 writes it", async ({ plg }) => {
    const { stdout, exitCode } = await plg.run(["man"]);
    expect(exitCode).toBe(0);
    const page = new URL("docs/plg.1", root);
    if (process.env["PLG_WRITE_PAGE"] === "1") writeFileSync(page, stdout);
    expect(readFileSync(page, "utf8")).toBe(stdout);
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
