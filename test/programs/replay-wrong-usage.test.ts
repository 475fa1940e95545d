// What cannot be replayed is refused with one clear line.
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, type Plg, test } from "./plg.ts";
import { record, replay } from "./replays.ts";

const questions = actor("questions.mjs");

/** Records a run with enough bytes in it to damage. */
async function recordSome(plg: Plg): Promise<void> {
  const client = `client=${questions} ask server 7000 50`;
  await record(plg, "--until=client", `server=${questions} serve 7000`, client);
}

async function expectRefused(
  plg: Plg,
  args: readonly string[],
  exitCode: number,
  message: RegExp,
): Promise<void> {
  const run = await plg.run(["replay", ...args]);
  expect(run, run.stderr).toMatchObject({ exitCode, stdout: "" });
  expect(run.stderr).toMatch(message);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
}

describe("dumps that cannot be replayed", () => {
  needs();

  test("a missing, empty, foreign, or damaged file: exit code 5 and the reason", async ({
    plg,
    folder,
  }) => {
    await recordSome(plg);
    const dump = readFileSync(join(folder, "dump.traffic"));
    const damaged = Buffer.from(dump);
    damaged.write("QUESTION", damaged.indexOf("question 25"));
    const otherSection = Buffer.from(dump);
    otherSection.writeUInt16LE(9, 12);
    const files: readonly [string, Buffer | string][] = [
      ["empty", ""],
      ["text", "this is no dump\n".repeat(10)],
      ["foreign", dump.subarray(0, 28)],
      ["damaged", damaged],
      ["other-version", otherSection],
    ];
    for (const [name, content] of files) {
      writeFileSync(join(folder, name), content);
      await expectRefused(plg, ["-f", name], 5, new RegExp(`^plg: .*${name}`));
    }
    await expectRefused(plg, ["-f", "missing"], 5, /^plg: .*missing/);
    await expectRefused(plg, ["-f", "."], 5, /^plg: /);
  });

  test("one that was torn off is replayed as far as it goes, with a warning", async ({
    plg,
    folder,
  }) => {
    await recordSome(plg);
    const path = join(folder, "dump.traffic");
    truncateSync(path, (readFileSync(path).length * 0.6) | 0);
    const torn = await replay(plg, ["--only=client"]);
    expect(torn.run.stderr).toMatch(
      /^plg: warning: dump\.traffic was cut off within a record, at byte \d+/m,
    );
    expect(torn.run.exitCode).toBe(0);
    expect(torn.lines("client")[0]).toBe("answer: question 1");
  });
});

describe("wrong usage of replay", () => {
  needs();

  test("exit code 2 and one line that says what is wrong", async ({ plg }) => {
    await recordSome(plg);
    const wrong: readonly [readonly string[], RegExp][] = [
      [["--only=nobody"], /nobody.*server, client/],
      [["--only="], /--only/],
      [["--only=client", "server=true"], /--only leaves out 'server', but a command is given/],
      [["--ignore=:80/[/"], /^plg: --ignore ':80\/\[\/': Invalid regular expression/],
      [["true"], /2 containers.*1 command/],
      [["true", "true", "true"], /2 containers.*3 commands/],
      [["nobody=true"], /nobody/],
      [["--speed=2", "--flood"], /--speed.*--flood/],
      [["--speed=fast"], /--speed/],
      [["--speed=0"], /--speed/],
      [["--order=random"], /--order.*process.*connection.*global/],
      [["--patience=soon"], /--patience/],
      [["--ignore=no-slashes"], /--ignore.*mask/],
      [["--ignore=/(/"], /--ignore/],
      [["--ignore-file=missing"], /--ignore-file.*missing/],
      [["--max-differences=few"], /--max-differences/],
      [["--until=nobody"], /nobody/],
      [["--ignore=nobody/x/"], /nobody.*server, client/],
    ];
    for (const [args, message] of wrong) await expectRefused(plg, args, 2, message);
  });
});

describe("the classic form", () => {
  needs();

  test("plg --replay, with the commands in their order", async ({ plg }) => {
    const commands = [`${questions} serve 7000`, `${questions} ask 10.0.0.1 7000 3`];
    const form = ["-s", "10.0.0.0/24", "-f", "dump.traffic"];
    const recording = ["--record", ...form, "--until=node-2", "--wait-listen=10s", ...commands];
    expectOk(await plg.run(recording));
    const run = await plg.run(["--replay", ...form, ...commands]);
    expectOk(run);
    expect(run.stdout.match(/answer: question \d/g)).toHaveLength(3);
    const elsewhere = await plg.run(["--replay", "-s", "10.9.0.0/24", ...commands]);
    expect(elsewhere.exitCode).toBe(2);
    expect(elsewhere.stderr).toMatch(/^plg: .*10\.0\.0\.0\/24.*10\.9\.0\.0\/24.*\n$/);
  });
});
