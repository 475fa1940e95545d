// plg.yaml: a system in a file, for record and replay without commands.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, linesOf, test } from "./plg.ts";

const system = `
containers:
  server:
    command: [${process.execPath}, ../server.mjs]
    env: { GREETING: hello there, PORT: 7000 }
    cwd: app
    ready: ^up$
  client:
    command: >-
      ${actor("talk.mjs")} connect=server:7000 read-end
    needs: server:7000
until: client
links: ["client->server: delay 1ms"]
masks: ["server:7000/pid \\\\d+/"]
replay: { only: server }
seed: 7
`;

const server = `import { createServer } from "node:net";
console.log(process.cwd());
const text = process.env.GREETING + " pid " + (process.env.PLG_OTHER ?? 1) + Math.random();
createServer((socket) => socket.end(text)).listen(Number(process.env.PORT));
console.log("up");
`;

describe("plg.yaml", () => {
  needs();

  test("describes what record and replay run", async ({ plg, folder }) => {
    mkdirSync(join(folder, "app"));
    writeFileSync(join(folder, "server.mjs"), server);
    writeFileSync(join(folder, "plg.yaml"), system);
    const recorded = await plg.run(["record"]);
    expectOk(recorded);
    expect(recorded.stderr).toContain("plg: commands and options come from plg.yaml\n");
    expect(linesOf(recorded, "server")).toEqual([join(folder, "app"), "up"]);
    expect(linesOf(recorded, "client").join()).toMatch(/received hello there pid 10\.\d+/);
    const shown = await plg.run(["show"]);
    expect(shown.stdout).toContain(
      "cd app || exit; export GREETING='hello there' PORT=7000; exec ",
    );
    expect(shown.stdout).toContain("random bytes follow from seed 7");
    expect(shown.stdout).toContain("link client->server: delay 1ms");

    // Only the server runs, as the file says, and its mask covers what differs.
    const replayed = await plg.run(["replay", "--patience=20s"], { env: { PLG_OTHER: "2" } });
    expectOk(replayed);
    expect(linesOf(replayed, "client")).toEqual([]);
    // Without the file, the recorded command has folder and environment, but there is no mask.
    const plain = ["replay", "--no-config", "--only=server", "--json", "--patience=20s"];
    const unmasked = await plg.run(plain, { env: { PLG_OTHER: "2" } });
    expect(JSON.parse(unmasked.stdout)).toMatchObject({ outcome: "differed", count: 1 });

    // A file about other containers is not about this recording.
    writeFileSync(join(folder, "other.yaml"), "containers: { web: x, server: y }");
    const other = await plg.run(["replay", "dump.traffic", "--config", "other.yaml"]);
    expect(other.stderr).toBe(
      "plg: other.yaml has a container 'web', which dump.traffic lacks (it has server, client): record again\n",
    );
  });

  test("has errors with a place, before anything runs", async ({ plg, folder }) => {
    const stderrOf = async (text: string, ...args: string[]): Promise<string> => {
      writeFileSync(join(folder, "plg.yaml"), text);
      const run = await plg.run(["record", ...args]);
      expect(run.exitCode).toBe(2);
      return run.stderr;
    };
    expect(await stderrOf("containers:\n  a: { comand: x }")).toBe(
      "plg: plg.yaml:2:8: unknown key 'comand': did you mean 'command'?\n",
    );
    expect(await stderrOf("containers: { a: x }\nlinks:\n  - 'a->b: loss 1%'")).toMatch(
      /^plg: plg\.yaml:3:5: .*no container 'b'/,
    );
    expect(await stderrOf("containers: { a: { command: x, user: no-such-user } }")).toMatch(
      /^plg: plg\.yaml:1:38: there is no user 'no-such-user'/,
    );
    expect(await stderrOf("containers: { a: x }", "--config=plg.yaml", "true")).toMatch(
      /^plg: --config plg\.yaml is for a run without commands/,
    );
  });
});

describe("plg init", () => {
  test("writes a file from commands, from a compose file, or an example", async ({
    plg,
    folder,
  }) => {
    expectOk(await plg.run(["init", "web=./web", "./test web"]));
    const path = join(folder, "plg.yaml");
    expect(readFileSync(path, "utf8")).toContain("containers:\n  web: ./web\n  test: ./test web\n");
    const again = await plg.run(["init"]);
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain("plg.yaml exists: replace it with --force");
    expectOk(await plg.run(["init", "--force", "-o", "plg.yaml"]));
    expect(readFileSync(path, "utf8")).toContain("needs: server:6379");
    writeFileSync(join(folder, "stack.yml"), "services: { a: { command: echo $$1 }, b: {} }");
    expectOk(await plg.run(["init", "--output=made.yaml", "--compose", "stack.yml"]));
    expect(readFileSync(join(folder, "made.yaml"), "utf8")).toMatch(/a:\n +command: echo \$1\n/);
  });
});
