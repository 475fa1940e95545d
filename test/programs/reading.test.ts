// A large dump is read before its replay, which takes a while: a user sees how far it is.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const talk = actor("talk.mjs");
/** On a terminal, which script(1) makes; without colors, to keep the patterns simple. */
const onTerminal = {
  through: ["/bin/sh", "-c", `exec script -qec "$0 $*" /dev/null`],
  env: { NO_COLOR: "1" },
};

describe("a large dump", () => {
  needs("script");

  test("is read under a status line on a terminal, and quietly elsewhere", async ({ plg }) => {
    const server = `server=${talk} listen=7000 sendbytes=600000000 end`;
    await record(plg, server, `client=${talk} connect=10.0.0.1:7000 count-end`);
    const shown = await plg.run(["replay", "--only=client"], onTerminal);
    expectOk(shown);
    expect(shown.stdout).toMatch(/reading dump\.traffic: \d+ % of 60\d MB/);
    expect(shown.stdout).toMatch(/replayed .* no difference/);
    const table = await plg.run(["show"], onTerminal);
    expect(table.stdout).toMatch(/client:\d+ +→ +server:7000 .* 600\.0 MB +closed/);
    // A pipe that pauses, so that reading takes longer than the status line waits.
    const slowly = "{ head -c 300000000; sleep 1; cat; } <dump.traffic";
    const fromPipe = ["/bin/sh", "-c", `script -qec "${slowly} | $0 $*" /dev/null`];
    const pipe = await plg.run(["show", "/dev/stdin"], { through: fromPipe });
    expect(pipe.stdout).toMatch(/reading \/dev\/stdin: [\d.]+ [kM]?B/);
    expect(pipe.stdout).not.toMatch(/Infinity|NaN/);
    expect(pipe.stdout).toMatch(/600\.0 MB +closed/);
    const { run } = await expectSame(plg, "--only=client");
    expect(run.stderr).not.toMatch(/reading dump\.traffic: /);
    const told = run.stderr.match(/^plg: reading dump\.traffic \(60\d MB\)$/gm) ?? [];
    expect(told.length).toBeLessThanOrEqual(1);
  });
});
