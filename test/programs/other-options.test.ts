// Options that no other test uses, over two small recordings: one system, and two words it says.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needsRoot } from "./machine.ts";
import { actor, expectOk, linesOf, test } from "./plg.ts";

const talk = actor("talk.mjs");
const server = `server=${talk} listen=7000 read-end`;
const saying = (word: string): string =>
  `client=${talk} connect=server:7000 send=${word} end; grep NoNewPrivs /proc/self/status; id -g`;

describe("other options", () => {
  needsRoot();

  test("of replay, show, diff and export do what they say", async ({ plg, folder }) => {
    for (const word of ["one", "two"]) {
      const options = ["--wait-listen=20s", "--no-ipv6", `--subnet=10.7.0.0/24`];
      expectOk(
        await plg.run(["record", "-f", `${word}.traffic`, ...options, server, saying(word)]),
      );
    }

    const options = ["--gid=7", "--no-new-privs", "--grace=1s", "--all", "--only=client"];
    const replay = await plg.run(["replay", "one.traffic", ...options, saying("ten")]);
    expect(replay.exitCode).toBe(3);
    expect(linesOf(replay, "client").slice(-2)).toEqual(["NoNewPrivs:\t1", "7"]);
    expect(replay.stdout).toContain("client: connection 1 (client:");
    expect(replay.stdout).not.toContain("--all");

    const stats = await plg.run(["show", "one.traffic", "--stats"]);
    expect(stats.stdout).toContain("client → server:7000: 1 connection, 3 B sent");
    const verbose = await plg.run(["show", "one.traffic", "--verbose"]);
    expect(verbose.stdout).toContain("10.7.0.1");

    const diff = await plg.run(["diff", "one.traffic", "two.traffic", "--max-differences=1"]);
    expect(diff.stdout).toMatch(/: 1 difference\n/);
    writeFileSync(join(folder, "masks"), "client:7000/one|two/\n");
    expectOk(await plg.run(["diff", "one.traffic", "two.traffic", "--ignore-file=masks"]));

    const keys = "CLIENT_RANDOM 00 00\n";
    writeFileSync(join(folder, "some.keys"), keys);
    const some = ["export", "one.traffic", "-o", "some.pcapng", "--keys=some.keys"];
    expectOk(await plg.run([...some, "--from=0s", "--to=1m"]));
    expect(readFileSync(join(folder, "some.pcapng")).includes(keys)).toBe(true);
    const none = await plg.run(["export", "one.traffic", "-o", "none.jsonl", "--from=1h"]);
    expect(none.stderr).toContain("0 connections");
  });
});
