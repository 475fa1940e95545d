// The GitHub action. GitHub is not here; its scripts run as the runner would run them.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { parse } from "yaml";
import { programPath } from "./program-path.ts";
import { test } from "./plg.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Step {
  readonly name: string;
  readonly if?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly steps: readonly Step[] };
}

test("action.yml finds the project's plg, runs it, and uploads on failure", ({ folder }) => {
  const text = readFileSync(join(root, "action.yml"), "utf8");
  const { inputs, runs } = parse(text) as Action;
  for (const [, name = ""] of text.matchAll(/\$\{\{ inputs\.([\w-]+) \}\}/g))
    expect(Object.keys(inputs)).toContain(name);

  const [install, run, upload] = runs.steps;
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(join(root, "plg"), join(folder, "node_modules/.bin/plg"));
  const bash = (step: Step | undefined, path: string, env: NodeJS.ProcessEnv): string =>
    execFileSync("bash", ["-e", "-o", "pipefail", "-c", step?.run ?? "exit 9"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: path, ...env },
    });
  bash(install, programPath, { GITHUB_PATH: join(folder, "paths"), VERSION: "latest" });
  const added = readFileSync(join(folder, "paths"), "utf8").trim();
  expect(added).toBe(join(folder, "node_modules/.bin"));

  const path = `${added}:${programPath}`;
  expect(bash(run, path, { ARGS: "init web='echo two words'" })).toBe("");
  expect(readFileSync(join(folder, "plg.yaml"), "utf8")).toContain("web: echo two words");
  expect(() => bash(run, path, { ARGS: "init" })).toThrow(/status|failed/);
  expect(upload).toMatchObject({ if: "failure()" });
});
