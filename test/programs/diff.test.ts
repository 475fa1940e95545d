// Two recordings, compared.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, test } from "./plg.ts";
import { record } from "./replays.ts";

const server = "server=exec redis-server --bind 0.0.0.0 --protected-mode no --save '' >server.log";

function asking(value: string): string {
  const lines = ["set a 1", `set b ${value}`, "get a", "get b"];
  return `client=${lines.map((line) => `redis-cli -h 10.0.0.1 ${line}`).join("; ")}`;
}

interface Diff {
  readonly compared: number;
  readonly differences: readonly Record<string, unknown>[];
  readonly onlySecond: readonly unknown[];
}

describe("plg diff --learn", () => {
  needs("curl");

  test("two recordings of one system are the same, and a planted change is reported alone", async ({
    plg,
    folder,
  }) => {
    const urls = ["a", "b?c=1", "d"].map((path) => `http://server/${path}`).join(" ");
    const client = `client=curl -sS --fail ${urls} >out`;
    for (const [name, word] of Object.entries({
      one: "steaded",
      two: "steaded",
      three: "steaded",
      other: "strayed",
    }))
      await record(
        plg,
        "--until=client",
        "--no-ipv6",
        "-f",
        `${name}.traffic`,
        `server=exec ${actor("varying.mjs")} ${word}`,
        client,
      );
    const before = await plg.run(["diff", "one.traffic", "two.traffic"]);
    expect(before.exitCode).toBe(3);
    const masks = "--ignore-file=masks.txt";
    const learned = await plg.run(["diff", "one.traffic", "two.traffic", "--learn", masks]);
    expectOk(learned);
    expect(learned.stderr).toMatch(/learned \d+ masks: use them with --ignore-file masks\.txt/);
    const again = await plg.run(["diff", "one.traffic", "three.traffic", masks]);
    expectOk(again);
    const reports = ["--junit=out.xml", "--page=out.html"];
    const other = await plg.run([
      "diff",
      "one.traffic",
      "other.traffic",
      masks,
      "--json",
      ...reports,
    ]);
    expect(other).toMatchObject({ exitCode: 3 });
    const { differences, onlySecond } = JSON.parse(other.stdout) as Diff;
    expect(onlySecond).toEqual([]);
    expect(differences).toMatchObject([
      { kind: "bytes", process: "server", offset: expect.any(Number) },
    ]);
    expect(Buffer.from(String(differences[0]?.["live"]), "hex").toString()).toMatch(/^rayed"/);
    const junit = readFileSync(join(folder, "out.xml"), "utf8");
    expect(junit).toMatch(/<testsuites name="plg diff" tests="2" failures="1" errors="0"/);
    expect(junit).toMatch(/name="client" time="[\d.]+"\/>/);
    expect(readFileSync(join(folder, "out.html"), "utf8")).toMatch(/^<!doctype html>/);
  });
});

describe("plg diff", () => {
  needs("redis-server", "redis-cli");

  test("two runs of one system are the same, and exactly what changed is told", async ({ plg }) => {
    const options = ["--until=client", "--no-ipv6"];
    await record(plg, ...options, "-f", "a.traffic", server, asking("two"));
    await record(plg, ...options, "-f", "b.traffic", server, asking("two"));
    await record(plg, ...options, "-f", "c.traffic", server, asking("too"));
    const same = await plg.run(["diff", "a.traffic", "b.traffic"]);
    expectOk(same);
    expect(same.stdout).toMatch(/^compared \d+ connections: no difference\n$/);
    const changed = await plg.run(["diff", "a.traffic", "c.traffic", "--json"]);
    expect(changed.exitCode).toBe(3);
    const { differences, onlySecond } = JSON.parse(changed.stdout) as Diff;
    expect(onlySecond).toEqual([]);
    expect(differences.map(({ kind, process }) => [kind, process])).toEqual([
      ["bytes", "client"],
      ["bytes", "server"],
    ]);
    const text = await plg.run(["diff", "a.traffic", "c.traffic"]);
    expect(text.stdout).toMatch(/^compared \d+ connections: 2 differences\n/);
    const masked = await plg.run(["diff", "a.traffic", "c.traffic", "--ignore=/t[wo]o/"]);
    expectOk(masked);
  });

  test("what only one has is named", async ({ plg }) => {
    const options = ["--until=client", "--no-ipv6"];
    await record(plg, ...options, "-f", "a.traffic", server, asking("two"));
    const more = `${asking("two")}; redis-cli -h 10.0.0.1 ping`;
    await record(plg, ...options, "-f", "b.traffic", server, more);
    const run = await plg.run(["diff", "a.traffic", "b.traffic"]);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(
      /: 1 difference\n\nonly in b\.traffic:\n {2}connection \d+ \(client:\d+ → server:6379\)\n$/,
    );
    expect((await plg.run(["diff", "a.traffic", "nothing"])).exitCode).toBe(5);
  });
});
