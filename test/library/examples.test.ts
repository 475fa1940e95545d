/** The examples, in a project of their own: recorded once, then played without their servers. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { programPath } from "../programs/program-path.ts";
import { newFolder } from "./library.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", "."];

/** A copy of the examples with what they import installed. Returns how to run Node there. */
function project(): (args: readonly string[], env?: NodeJS.ProcessEnv) => string {
  const folder = newFolder();
  cpSync(join(root, "examples"), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/net-playground"));
  for (const name of ["vitest", "vite", "fastify", "pg", "ioredis"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  const { CI: _, VITEST: __, ...clean } = process.env;
  return (args, env = {}) => {
    const surroundings = { ...clean, PATH: programPath, NO_COLOR: "1", ...env };
    const options = { cwd: folder, encoding: "utf8", env: surroundings } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
    return `exit code ${status}\n${stdout}${stderr}`;
  };
}

test("a service with PostgreSQL (SCRAM) and Redis: 100 tests without either", () => {
  const run = project();
  expect(run([...vitest, "orders/"])).toContain("exit code 0");
  // Without PostgreSQL's programs: only what is under test starts.
  const played = run([...vitest, "orders/"], { PATH: "/usr/sbin:/sbin:/bin:/usr/bin", CI: "1" });
  expect(played).toContain("exit code 0");
  expect(played).toMatch(/100 passed/);
});

test("the app inside the test process, its clients through the run", () => {
  const run = project();
  const args = ["--test", "orders-in-process/orders.test.mjs"];
  expect(run(args)).toContain("exit code 0");
  expect(run(args, { CI: "1" })).toContain("exit code 0");
});
