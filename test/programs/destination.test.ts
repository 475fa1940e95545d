// Recording over something never loses it: another recorder's dump, an old recording, a foreign
// file.
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, test } from "./plg.ts";

describe("the place where a recording goes", () => {
  needs();

  test("belongs to one recorder at a time", async ({ plg, folder }) => {
    const first = plg.start(["record", "-f", "d.traffic", "one=echo ready; sleep 60"]);
    await first.prints(/ready/);
    const second = await plg.run(["record", "-f", "d.traffic", "two=true"]);
    expect(second.stderr).toMatch(/^plg: another plg is recording to d\.traffic; [^\n]+\n$/);
    expect(second.exitCode).toBe(2);
    first.kill("SIGINT");
    await first.ended;
    const shown = await plg.run(["show", "d.traffic", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ complete: true, commands: [{ name: "one" }] });
    expect(readdirSync(folder)).toEqual(["d.traffic"]);
  });

  test("keeps the recording before", async ({ plg, folder }) => {
    const path = (name: string): string => join(folder, name);
    expectOk(await plg.run(["record", "-f", "d.traffic", "one=true"]));
    const one = readFileSync(path("d.traffic"));
    symlinkSync("d.traffic", path("link"));
    const second = await plg.run(["record", "-f", "link", "two=true"]);
    expectOk(second);
    expect(second.stderr).toMatch(/the recording before it is now \S*d\.traffic\.previous\n/);
    expect(readFileSync(path("d.traffic.previous"))).toEqual(one);
    const two = readFileSync(path("d.traffic"));
    const third = await plg.run(["record", "-f", "d.traffic", "--json", "three=true"]);
    expect(JSON.parse(third.stdout)).toMatchObject({
      previous: expect.stringMatching(/d\.traffic\.previous$/) as string,
    });
    expect(readFileSync(path("d.traffic.previous"))).toEqual(two);
    expect(readdirSync(folder).toSorted()).toEqual(["d.traffic", "d.traffic.previous", "link"]);
  });

  test("stays as it was where no command could be started", async ({ plg, folder }) => {
    const path = (name: string): string => join(folder, name);
    for (const name of ["one", "two"])
      expectOk(await plg.run(["record", "-f", "d.traffic", `${name}=true`]));
    const before = ["d.traffic", "d.traffic.previous"].map((name) => readFileSync(path(name)));
    const typo = await plg.run(["record", "-f", "d.traffic", "./typo"]);
    expect(typo.stderr).toMatch(/plg: no command could be started: d\.traffic stays as it was\n/);
    expect(typo.exitCode).toBe(1);
    expect(readdirSync(folder).toSorted()).toEqual(["d.traffic", "d.traffic.previous"]);
    const after = ["d.traffic", "d.traffic.previous"].map((name) => readFileSync(path(name)));
    expect(after).toEqual(before);
  });
});

describe("the place where a recording goes, if it cannot go there", () => {
  needs();

  test("is left alone if it holds something else", async ({ plg, folder }) => {
    writeFileSync(join(folder, "thesis"), "chapter 1\n");
    const refused = await plg.run(["record", "-f", "thesis", "true"]);
    expect(refused.stderr).toMatch(/^plg: thesis is not a recording of plg[^\n]+--force\n$/);
    expect(refused.exitCode).toBe(2);
    expect(readFileSync(join(folder, "thesis"), "utf8")).toBe("chapter 1\n");
    expectOk(await plg.run(["record", "-f", "thesis", "--force", "true"]));
    expect(readFileSync(join(folder, "thesis.previous"), "utf8")).toBe("chapter 1\n");
    expectOk(await plg.run(["show", "thesis"]));
  });

  test("is as it was where a run cannot be prepared", async ({ plg, folder }) => {
    expectOk(await plg.run(["record", "-f", "d.traffic", "one=true"]));
    const before = readFileSync(join(folder, "d.traffic"));
    const through = ["sh", "-c", `ulimit -n 120; exec "$@"`, "sh"];
    for (const name of ["d.traffic", "new.traffic"]) {
      const run = await plg.run(["record", "-f", name, "true"], { through });
      expect(run.exitCode).toBe(4);
    }
    expect(readFileSync(join(folder, "d.traffic"))).toEqual(before);
    expect(existsSync(join(folder, "new.traffic"))).toBe(false);
  });
});

describe("a dump that is not whole", () => {
  needs();

  test("is being recorded, or was cut off", async ({ plg, folder }) => {
    const running = plg.start(["record", "-f", "d.traffic", "one=echo ready; sleep 60"]);
    await running.prints(/ready/);
    for (const command of ["show", "view"]) {
      const run = await plg.run([command, "d.traffic"]);
      expectOk(run);
      expect(run.stderr).toContain("warning: d.traffic is still being recorded");
    }
    const replay = await plg.run(["replay", "-f", "d.traffic", "one=true"]);
    expect(replay.stderr).toContain("warning: d.traffic is still being recorded");
    running.kill("SIGKILL");
    await running.ended;
    const killed = await plg.run(["show", "d.traffic"]);
    expect(killed.stderr).toMatch(
      /warning: d\.traffic was cut off before its end; it does not say/,
    );
    const json = await plg.run(["show", "d.traffic", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ complete: false, completeness: "cut off" });
    copyFileSync(join(folder, "d.traffic"), join(folder, "torn.traffic"));
    truncateSync(join(folder, "torn.traffic"), 4090);
    const torn = await plg.run(["replay", "-f", "torn.traffic", "one=true"]);
    expect(torn.stderr).toMatch(/warning: torn\.traffic was cut off within a record, at byte \d+/);
  });

  test("says nothing about ends that it knows", async ({ plg, folder }) => {
    expectOk(await plg.run(["record", "-f", "d.traffic", "client=true"]));
    const whole = readFileSync(join(folder, "d.traffic"));
    // The end of the file is padding behind the last command's end: without it that still stands.
    truncateSync(join(folder, "d.traffic"), whole.length - 4);
    const run = await plg.run(["show", "d.traffic"]);
    expect(run.stdout).toMatch(/client .* exit 0/);
    expect(run.stderr).not.toContain("does not say");
  });
});
