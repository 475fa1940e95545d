// `plg test`: a folder of recordings as a test suite.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, type Plg, test } from "./plg.ts";

/** Busy machines start a process in seconds. */
const patient = "--patience=20s";
const timeoutMs = 300_000;
const server = "nc -l -p 7000 </dev/null";
const saying = (word: string): string => `echo ${word} | nc -N server 7000`;

function configOf(word: string): string {
  const client = `{ command: "${saying(word)}", needs: "server:7000" }`;
  return `containers:\n  server: ${server}\n  client: ${client}\nipv6: false\nseed: false\nreplay: { only: client }\n`;
}

/** A folder with a configuration and one small recording by it. */
async function recordOne(plg: Plg, folder: string): Promise<string> {
  const suite = join(folder, "suite");
  mkdirSync(suite);
  writeFileSync(join(suite, "plg.yaml"), configOf("hello"));
  expectOk(await plg.run(["record", "-f", "one.traffic"], { cwd: suite }));
  return suite;
}

describe("plg test", { timeout: timeoutMs }, () => {
  needs("nc");

  test("replays 50 recordings two at a time, and knows which failed", async ({ plg, folder }) => {
    const suite = await recordOne(plg, folder);
    const inner = join(suite, "inner/most");
    mkdirSync(inner, { recursive: true });
    copyFileSync(join(suite, "plg.yaml"), join(inner, "plg.yaml"));
    for (let i = 2; i <= 49; i++)
      copyFileSync(join(suite, "one.traffic"), join(i % 2 ? suite : inner, `${i}.traffic`));
    // The client of this one says something else now.
    copyFileSync(join(suite, "one.traffic"), join(suite, "changed.traffic"));
    writeFileSync(join(suite, "changed.yaml"), configOf("hullo"));

    const env = { XDG_STATE_HOME: join(folder, "state") };
    const reports = ["--junit=report.xml", "--page=report.html"];
    const args = ["test", "suite", patient];
    const all = await plg.run([...args, "--jobs=2", ...reports], { env, timeoutMs });
    expect(all.stderr).toMatch(/plg: 50 recordings: 49 passed, 1 differed in /);
    expect(all.exitCode).toBe(3);
    const lines = all.stdout.split("\n");
    expect(lines.filter((line) => line.startsWith("passed "))).toHaveLength(49);
    expect(all.stdout).toMatch(/^differed +changed\.traffic .* 1 difference: client 1$/m);
    expect(all.stdout).toMatch(
      /^ +client: connection 1 .*sent other bytes to server from byte 1 on/m,
    );
    const junit = readFileSync(join(folder, "report.xml"), "utf8");
    expect(junit).toContain('<testsuites name="plg test" tests="50" failures="1" errors="0"');
    const page = readFileSync(join(folder, "report.html"), "utf8");
    expect(page.match(/<tr class="passed">/g)).toHaveLength(49);
    expect(page).toContain("inner/most/48.traffic");

    const failed = await plg.run([...args, "--only-failed", "--json"], { env });
    expect(JSON.parse(failed.stdout)).toMatchObject({
      results: [{ name: "changed.traffic", state: "differed" }],
    });
    const updated = await plg.run([...args, "--only-failed", "-u"], { env });
    expectOk(updated);
    expect(updated.stdout).toMatch(/^passed +changed\.traffic .* recorded again \(1 difference/m);
    const none = await plg.run([...args, "--only-failed"], { env });
    expectOk(none);
    expect(none.stderr).toContain("0 recordings: nothing to do");
  });
});

describe("the options of plg test", { timeout: timeoutMs }, () => {
  needs("nc");

  test("records what is missing, learns, and splits", async ({ plg, folder }) => {
    const suite = await recordOne(plg, folder);
    const env = { XDG_STATE_HOME: join(folder, "state") };
    const run = (...args: string[]) => plg.run(["test", "suite", patient, ...args], { env });
    renameSync(join(suite, "one.traffic"), join(folder, "one.traffic"));
    const missing = await run();
    expect(missing.exitCode).toBe(1);
    expect(missing.stdout).toContain("there is no recording yet: -u records it by plg.yaml");
    expectOk(await run("--update"));
    expect(existsSync(join(suite, "dump.traffic"))).toBe(true);
    renameSync(join(folder, "one.traffic"), join(suite, "one.traffic"));

    const learned = await run("--learn=1", "--shard=2/2", "--run-recorded");
    expectOk(learned);
    expect(learned.stderr).toContain("plg: 1 recording: 1 passed");
    expect(learned.stdout).toContain("nothing varied in 1 replay");

    // A recording that fails does not replace the one before.
    const before = readFileSync(join(suite, "one.traffic"));
    writeFileSync(join(suite, "one.yaml"), configOf("hullo").replace('7000"', '7000; exit 7"'));
    const broken = await run("-u", "--jobs=2");
    expect(broken.exitCode).toBe(1);
    expect(broken.stdout).toMatch(/^broken +one\.traffic .* recording failed: .*exit code 7/m);
    expect(readFileSync(join(suite, "one.traffic")).equals(before)).toBe(true);
  });

  test("watches", async ({ plg, folder }) => {
    const suite = await recordOne(plg, folder);
    const env = { XDG_STATE_HOME: join(folder, "state") };
    writeFileSync(join(suite, "one.yaml"), configOf("hullo"));
    const source = join(folder, "source");
    mkdirSync(source);
    const watching = plg.start(["test", "suite", patient, "--watch", `--watch-path=${source}`], {
      env,
    });
    await watching.prints(/1 recording: 1 differed[^]*waiting for a change/, 60_000);
    writeFileSync(join(suite, "one.yaml"), configOf("hello"));
    await watching.prints(/waiting[^]*1 recording: 1 passed[^]*waiting for a change/, 60_000);
    watching.kill("SIGINT");
    expect(await watching.ended).toMatchObject({ exitCode: 130 });
  });
});

describe("wrong usage of plg test", () => {
  test.for([
    [["nowhere"], /there is no folder nowhere/],
    [["."], /there is no recording in \./],
    [[".", "--shard=3/2"], /--shard '3\/2' is not a part such as 2\/5/],
    [[".", "--learn=2", "-u"], /--learn and --update exclude each other/],
    [[".", "--page=no/page.html"], /cannot write --page no\/page\.html/],
  ] as const)("%j is refused", async ([args, says], { plg }) => {
    const run = await plg.run(["test", ...args]);
    expect(run.stderr).toMatch(says);
    expect(run.exitCode).toBe(2);
  });
});
