import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { tshark } from "./dump.ts";
import { needs } from "./machine.ts";
import { actor, expectOk, linesOf, test } from "./plg.ts";

const talk = actor("talk.mjs");
const forever = "while :; do sleep 0.05; done";

describe("the classic form", () => {
  needs("tshark");

  test("runs to the letter, in the folder where it is called", async ({ plg, folder }) => {
    const cwd = join(folder, "elsewhere");
    mkdirSync(cwd);
    const script = (name: string, text: string): void =>
      writeFileSync(join(cwd, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    script("exe1", `${talk} listen=7000 read-end`);
    script(
      "exe2",
      `until ${talk} connect=10.0.0.1:7000 send=classic end | grep connected; do sleep 0.1; done`,
    );
    script("exe3", "echo third");
    const run = await plg.run(
      ["--record", "-s", "10.0.0.0/24", "-f", "dump.traffic", "./exe1", "./exe2", "./exe3"],
      { cwd },
    );
    expectOk(run);
    expect(linesOf(run, "exe1")).toContain("received classic");
    expect(linesOf(run, "exe3")).toEqual(["third"]);
    const dump = join(cwd, "dump.traffic");
    expect(await tshark(dump, "-Y", "tcp.len == 7", "-T", "fields", "-e", "ip.src")).toBe(
      "10.0.0.2\n",
    );
    expect(statSync(dump).mode & 0o777).toBe(0o600);
  });

  test("takes each argument for a whole command, also one that looks named", async ({ plg }) => {
    const run = await plg.run(["--record", "name=value; echo $name"]);
    expectOk(run);
    expect(run.stdout).toContain("| value\n");
  });

  test("-h shows the usage", async ({ plg }) => {
    const run = await plg.run(["-h"]);
    expectOk(run);
    expect(run.stdout).toMatch(/^Usage: plg/);
    expect(run.stdout).toContain("--record -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3");
    expect(run.stderr).toBe("");
  });
});

describe("the end of a run", () => {
  needs();

  test("--until all, the default: when every command has ended", async ({ plg }) => {
    const run = await plg.run(["record", "one=sleep 0.5; echo last", "two=echo first"]);
    expectOk(run);
    expect(run.stdout).toBe("two | first\none | last\n");
  });

  test("--until first: when one has", async ({ plg }) => {
    const run = await plg.run(["record", "--until=first", `one=${forever}`, "two=true"]);
    expectOk(run);
    expect(run.durationMs).toBeLessThan(10_000);
  });

  test("--until NAME: when that one has, whoever ended before", async ({ plg }) => {
    const commands = [`one=${forever}`, "two=true", "three=sleep 0.5; echo enough"];
    const run = await plg.run(["record", "--until=three", ...commands]);
    expectOk(run);
    expect(linesOf(run, "three")).toEqual(["enough"]);
  });

  test("--kill: the signal that the rest gets", async ({ plg, folder }) => {
    const trap = `trap 'echo interrupted; exit 0' INT; touch ready; ${forever}`;
    const run = await plg.run([
      "record",
      "--kill=INT",
      "--until=two",
      `one=${trap}`,
      `two=${talk} await=${folder}/ready`,
    ]);
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["interrupted"]);
  });

  test("--grace: after that, whoever does not want to end is killed", async ({ plg, folder }) => {
    const run = await plg.run([
      "record",
      "--grace=300ms",
      "--until=two",
      `one=trap '' TERM; touch ready; ${forever}`,
      `two=${talk} await=${folder}/ready`,
    ]);
    expectOk(run);
    expect(run.durationMs).toBeLessThan(5000);
  });
});

describe("how commands end", () => {
  needs();

  test.for([
    { how: "a failure", command: "exit 7", says: "failed with exit code 7" },
    { how: "a signal", command: "kill -SEGV $$", says: "was ended by SIGSEGV" },
    {
      how: "a missing program",
      command: "no-such-program",
      says: "could not be started: command not found",
    },
    {
      how: "no permission to execute",
      command: "/etc/hosts",
      says: "could not be started: not executable",
    },
  ])("$how is reported with the name, and plg exits 1", async ({ command, says }, { plg }) => {
    const run = await plg.run(["record", `culprit=${command}`, "other=true"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`plg: culprit ${says}`);
    expect(run.stderr).not.toContain("other");
  });

  test("a command that plg stopped has not failed", async ({ plg }) => {
    expectOk(await plg.run(["record", "--until=two", "one=sleep 1000", "two=true"]));
  });
});

describe("output", () => {
  needs();
  const noisy = ["one=echo out; echo err >&2", "two=printf 'no newline'"];

  test("comes line by line with the command's name, on the stream it was written to", async ({
    plg,
  }) => {
    const run = await plg.run(["record", ...noisy]);
    expectOk(run);
    expect(run.stdout.split("\n").toSorted()).toEqual(["", "one | out", "two | no newline"]);
    expect(run.stderr).toMatch(/^one \| err$/m);
  });

  test("names of different lengths are aligned", async ({ plg }) => {
    const run = await plg.run(["record", "a=echo 1", "longer=echo 2"]);
    expect(run.stdout.split("\n").toSorted()).toEqual(["", "a      | 1", "longer | 2"]);
  });

  test("--raw: as it is, without names", async ({ plg }) => {
    const run = await plg.run(["record", "--raw", ...noisy]);
    expectOk(run);
    expect(["out\nno newline", "no newlineout\n"]).toContain(run.stdout);
    expect(run.stderr).toMatch(/^err$/m);
  });

  test.for(["--quiet", "-q", "--nolog"])(
    "%s: nothing at all when all goes well",
    async (option, { plg }) => {
      const run = await plg.run(["record", option, ...noisy]);
      expectOk(run);
      expect(run.stdout + run.stderr).toBe("");
    },
  );

  test("--quiet still tells of a failure", async ({ plg }) => {
    const run = await plg.run(["record", "-q", "one=exit 3"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/^plg: one failed with exit code 3 .*\n$/);
  });
});

describe("the result", () => {
  needs("tshark");

  test("--json: one object on standard output, and the rest elsewhere", async ({ plg, folder }) => {
    const run = await plg.run([
      "record",
      "--json",
      "--wait-listen=10s",
      `server=${talk} listen=7000 read-end`,
      `client=${talk} connect=10.0.0.1:7000 send=hello end; exit 5`,
    ]);
    expect(run.exitCode).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      file: "dump.traffic",
      connections: 1,
      bytes: 5,
      commands: [
        { name: "server", exitCode: 0 },
        { name: "client", exitCode: 5 },
      ],
    });
    expect(run.stderr).toMatch(/^server \| received hello$/m);
    expect(existsSync(join(folder, "dump.traffic"))).toBe(true);
  });

  test("a command of any length is recorded with the run", async ({ plg, folder }) => {
    const long = `: ${"x".repeat(100_000)}; echo long`;
    const run = await plg.run(["record", `one=${long}`, `two=${long.slice(0, 400)}`]);
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["long"]);
    await tshark(join(folder, "dump.traffic"));
  });
});
