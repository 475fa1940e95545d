// Ctrl-C at any moment: one line, the exit code of a shell, and nothing left behind.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, pythonActor, test } from "./plg.ts";
import { eventually } from "./waiting.ts";

/** What a terminal shows, without where and in which color. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- terminals take control sequences
  return text.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}

describe("Ctrl-C", () => {
  needs();

  test("before anything runs is told, and leaves no dump", async ({ plg, folder }) => {
    // So many containers take a while to make, after the dump was claimed.
    const commands = Array.from({ length: 60 }, () => "true");
    const dump = join(folder, "dump.traffic");
    const running = plg.start(["record", ...commands]);
    await eventually("the dump is claimed", () => existsSync(dump));
    running.kill("SIGINT");
    const run = await running.ended;
    expect(run.exitCode).toBe(130);
    expect(run.stderr).toBe("plg: SIGINT: nothing was run\n");
    expect(run.stdout).toBe("");
    expect(existsSync(dump)).toBe(false);
  });

  test.for([
    ["Ctrl-C", String.raw`\x03`, 130, /Run them\? \[y\/N\] \s*$/],
    ["Ctrl-D", String.raw`\x04`, 2, /Run them\? \[y\/N\] [^\n]*plg: [^\n]*give --run-recorded/],
    ["no", String.raw`n\n`, 2, /plg: [^\n]*give --run-recorded/],
    ["yes", String.raw`y\n`, 0, /one \| it runs/],
  ] as const)("%s at the question whether to run", async ([, keys, exitCode, says], { plg }) => {
    expectOk(await plg.run(["record", "one=echo it runs"]));
    const through = ["sh", "-c", `${pythonActor("terminal.py")} 'Run them?' '${keys}' "$@"`, "sh"];
    // Another home has another key: then somebody else recorded it.
    const env = { XDG_STATE_HOME: "/nonexistent" };
    const run = await plg.run(["replay", "--patience=1s"], { through, env });
    expect(plain(run.stdout)).toMatch(says);
    expect(run.stdout).not.toContain("bug in plg");
    expect(run.exitCode).toBe(exitCode);
  });
});

describe("a dump as the argument of replay", () => {
  needs();

  const questions = actor("questions.mjs");

  test("is replayed, also before commands", async ({ plg }) => {
    const server = `server=${questions} serve 7000`;
    const client = `client=${questions} ask server 7000 3`;
    const options = ["--wait-listen=10s", "--until=client"];
    expectOk(await plg.run(["record", "-f", "my.traffic", ...options, server, client]));
    expectOk(await plg.run(["replay", "my.traffic"]));
    const only = await plg.run(["replay", "my.traffic", "--only=client", client]);
    expectOk(only);
    expect(only.stderr).toMatch(/no difference\n/);
    const both = await plg.run(["replay", "-f", "other.traffic", "my.traffic"]);
    expect(both.stderr).toMatch(/^plg: two dumps were named, [^\n]+\n$/);
    const none = await plg.run(["replay", "no.traffic"]);
    expect(none.stderr).toBe("plg: there is no dump no.traffic\n");
    const one = await plg.run(["replay", "-f", "my.traffic", "./other"]);
    expect(one.stderr).toContain("has 2 containers (server, client), but 1 command was given:");
  });
});
