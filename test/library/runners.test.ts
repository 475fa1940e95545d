/**
 * Projects that use `net-playground/vitest` and `net-playground/node-test`, run as users run them.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { newFolder } from "./library.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A store that counts its starts, and an app that asks it. `QUESTION` is what the app asks. */
const system = `
import { appendFileSync } from "node:fs";
const node = process.execPath;
const store = \`
  require("node:fs").appendFileSync("starts.txt", "started\\\\n");
  require("node:net").createServer((socket) => {
    socket.on("data", (data) => socket.write("3 of " + data));
  }).listen(7000, () => console.log("ready"));\`;
const app = \`
  const { once } = require("node:events");
  const { connect } = require("node:net");
  require("node:http").createServer(async (request, response) => {
    response.sendDate = false;
    const socket = connect(7000, "store");
    socket.write(process.env.QUESTION || "orders");
    const [answer] = await Promise.race([once(socket, "data"), once(socket, "close")]);
    socket.destroy();
    response.end(String(answer));
  }).listen(8080, () => console.log("ready"));\`;
export const options = {
  containers: {
    store: { command: [node, "-e", store], ready: /^ready/ },
    app: { command: [node, "-e", app], ready: /^ready/ },
  },
  live: ["app"],
  patienceMs: 500,
};
export const answerOf = async (run) => (await run.fetch("http://app:8080/")).text();
`;

const vitestFile = `
import { expect, test } from "vitest";
import { suiteRun, testRun } from "net-playground/vitest";
import { answerOf, options } from "./system.mjs";

const shared = suiteRun("shared", { ...options, live: [] });
test("one of its own", async () => {
  expect(await answerOf(await testRun("own run", options))).toMatch(/^3 of/);
});
test.each([1, 2])("shared %i", async () => {
  expect(await answerOf(shared.run)).toBe("3 of orders");
});
`;

const nodeFile = `
import assert from "node:assert/strict";
import { test } from "node:test";
import { testRun } from "net-playground/node-test";
import { answerOf, options } from "./system.mjs";

test("one of its own", async (t) => {
  assert.match(await answerOf(await testRun(t, "own run", options)), /^3 of/);
});
`;

interface Project {
  readonly folder: string;
  readonly recordings: string;
  readonly run: (args: readonly string[], env?: NodeJS.ProcessEnv) => string;
  /** How often the store was started. */
  readonly starts: () => number;
}

function projectWith(testFile: string, content: string, command: readonly string[]): Project {
  const folder = newFolder();
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(root, join(modules, "net-playground"));
  for (const name of ["vitest", "vite"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(folder, "system.mjs"), system);
  writeFileSync(join(folder, testFile), content);
  const { CI: _, VITEST: __, ...clean } = process.env;
  return {
    folder,
    recordings: join(folder, "__recordings__", testFile),
    run: (args, env = {}) => {
      const [file = "", ...rest] = [...command, ...args];
      const options = {
        cwd: folder,
        encoding: "utf8",
        env: { ...clean, NO_COLOR: "1", ...env },
      } as const;
      const { status, stdout, stderr } = spawnSync(file, rest, options);
      return `exit code ${status}\n${stdout}${stderr}`;
    },
    starts: () => {
      const path = join(folder, "starts.txt");
      return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
    },
  };
}

test("vitest records once, then plays; -u accepts a change, and CI makes nothing", () => {
  const command = [process.execPath, join(root, "node_modules/vitest/vitest.mjs"), "run"];
  const { recordings, run, starts } = projectWith("orders.test.ts", vitestFile, command);
  expect(run([])).toContain("exit code 0");
  expect(readdirSync(recordings).toSorted()).toEqual(["own-run.traffic", "shared.traffic"]);
  expect(starts()).toBe(2);

  writeFileSync(join(recordings, "unused.traffic"), "");
  const played = run(["--pool", "threads"]);
  expect(played).toContain("exit code 0");
  expect(played).toMatch(/1 obsolete: no test uses .*unused\.traffic/);
  expect(starts()).toBe(2);

  const changed = run(["--pool", "threads"], { QUESTION: "invoices" });
  expect(changed).toContain("exit code 1");
  expect(changed).toMatch(/1 failed \| 2 passed/);
  expect(changed).toContain("1 difference: app 1");
  expect(changed).toContain("invoices");
  expect(existsSync(join(recordings, "own-run.traffic.html"))).toBe(true);

  expect(run(["-u", "-t", "own"], { QUESTION: "invoices" })).toContain("exit code 0");

  rmSync(join(recordings, "own-run.traffic"));
  const inCi = run([], { CI: "1" });
  expect(inCi).toContain("exit code 1");
  expect(inCi).toMatch(/there is no recording .*own-run\.traffic/);
  expect(existsSync(join(recordings, "own-run.traffic"))).toBe(false);
});

test("node:test does the same", () => {
  const command = [process.execPath, "--test"];
  const { recordings, run, starts } = projectWith("orders.test.mjs", nodeFile, command);
  expect(run([])).toContain("exit code 0");
  expect(starts()).toBe(1);
  expect(run([])).toContain("exit code 0");
  expect(starts()).toBe(1);
  const changed = run([], { QUESTION: "invoices" });
  expect(changed).toContain("exit code 1");
  expect(changed).toContain("the run differs from its recording");
  expect(readdirSync(recordings).toSorted()).toEqual(["own-run.traffic", "own-run.traffic.html"]);
});
