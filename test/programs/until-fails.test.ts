// `record --until-fails`: catches the run that fails, and keeps its recording.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, test } from "./plg.ts";
import { eventually } from "./waiting.ts";

/** Counts its runs in a file, and fails in the third. */
const third = `n=$(($(cat runs 2>/dev/null) + 1)); echo $n >runs; echo run $n; [ $n -ne 3 ]`;

describe("record --until-fails", () => {
  needs();

  test("stops at the run that fails, and keeps and shows it alone", async ({ plg, folder }) => {
    expectOk(await plg.run(["record", "before=true"]));
    const before = readFileSync(join(folder, "dump.traffic"));
    const run = await plg.run(["record", "--until-fails", "10", `one=${third}`]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toBe("one | run 3\n");
    expect(run.stderr).toMatch(
      /^plg: one failed with exit code 1 after [^\n]+\nplg: run 3 failed, 2 runs before it did not: recorded to dump\.traffic\n$/,
    );
    expect(readdirSync(folder).toSorted()).toEqual([
      "dump.traffic",
      "dump.traffic.previous",
      "runs",
    ]);
    expect(readFileSync(join(folder, "dump.traffic.previous"))).toEqual(before);
    const shown = await plg.run(["show", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      complete: true,
      commands: [{ name: "one", exitCode: 1 }],
    });
  });

  test("keeps nothing if no run fails, and leaves what is there", async ({ plg, folder }) => {
    expectOk(await plg.run(["record", "before=true"]));
    const before = readFileSync(join(folder, "dump.traffic"));
    const run = await plg.run(["record", "--until-fails=3", "--json", "one=true"]);
    expectOk(run);
    expect(JSON.parse(run.stdout)).toMatchObject({ runs: 3, failed: false, kept: [], exitCode: 0 });
    expect(run.stderr).toBe("plg: none of 3 runs failed: nothing was kept\n");
    expect(readFileSync(join(folder, "dump.traffic"))).toEqual(before);
    expect(readdirSync(folder)).toEqual(["dump.traffic"]);
  });

  test("keeps all runs, or the last, if told so", async ({ plg, folder }) => {
    const all = await plg.run(["record", "--until-fails=5", "--keep=all", `one=${third}`]);
    expect(all.exitCode).toBe(1);
    const numbered = ["dump.1.traffic", "dump.2.traffic", "dump.3.traffic"];
    expect(readdirSync(folder).toSorted()).toEqual([...numbered, "runs"]);
    for (const name of numbered) expectOk(await plg.run(["show", name]));
    expectOk(await plg.run(["record", "--until-fails=2", "--keep=last", "one=true"]));
    expectOk(await plg.run(["show", "dump.traffic"]));
  });
});

describe("record --until-fails, cut short", () => {
  needs();

  test("gives up where no command can be started, or on Ctrl-C", async ({ plg, folder }) => {
    const typo = await plg.run(["record", "--until-fails=9", "./typo"]);
    expect(typo.stderr).toMatch(/plg: run 1 failed: nothing was kept\n$/);
    expect(typo.exitCode).toBe(1);
    writeFileSync(join(folder, "wait"), "");
    const forever = `one=echo $$ >>started; while [ -e wait ]; do sleep 0.05; done; sleep 60`;
    const running = plg.start(["record", "--until-fails=9", forever]);
    const started = join(folder, "started");
    await eventually("the first run goes on", () => existsSync(started));
    running.kill("SIGINT");
    const run = await running.ended;
    expect(run.exitCode).toBe(130);
    expect(run.stderr).toMatch(/plg: none of 0 runs failed before SIGINT: nothing was kept\n$/);
    expect(readdirSync(folder).toSorted()).toEqual(["started", "wait"]);
  });

  test.for([
    [["--keep=all", "true"], /--keep is for --until-fails/],
    [
      ["--until-fails=3", "--keep=some", "true"],
      /--keep 'some' is not one of failed, all and last/,
    ],
    [["--until-fails=0", "true"], /--until-fails '0' is out of range/],
    [["--until-fails=3", "--verify=3", "true"], /--until-fails and --verify exclude each other/],
  ] as const)("%j is refused", async ([args, says], { plg }) => {
    const run = await plg.run(["record", ...args]);
    expect(run.stderr).toMatch(says);
    expect(run.exitCode).toBe(2);
  });
});
