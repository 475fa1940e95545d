// However a run ends, nothing of it stays: no process, no namespace, and the dump is good. That no
// process is left is asserted after every test, by the fixture. What breaks from outside is in
// test/faults.
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { streamBytes, tcpComplaints } from "./dump.ts";
import { needs } from "./machine.ts";
import { actor, expectOk, test } from "./plg.ts";
import { eventually } from "./waiting.ts";

const talk = actor("talk.mjs");
const stubborn = "trap '' TERM INT HUP; echo stubborn; while :; do sleep 0.05; done";

describe("what commands leave behind", () => {
  needs("setsid");

  test("daemons that hold the output open do not hold up the run", async ({ plg }) => {
    const run = await plg.run(["record", "one=setsid sleep 1000 & echo started"]);
    expectOk(run);
    expect(run.durationMs).toBeLessThan(10_000);
  });

  test("daemons that do not want to end are killed after the grace", async ({ plg }) => {
    const run = await plg.run([
      "record",
      "--grace=200ms",
      `one=setsid sh -c '${stubborn.replaceAll("'", `'\\''`)}' & sleep 0.3`,
    ]);
    expectOk(run);
    await eventually("the daemon is gone", () => plg.leftovers().length === 0);
  });

  test("orphans do not pile up as zombies while the run goes on", async ({ plg }) => {
    // Each round leaves an orphan that ends at once; the run's first process inherits and reaps it.
    const orphans =
      "for i in $(seq 50); do sh -c 'sh -c : &'; done; sleep 0.3; grep -l '^State:.*zombie' /proc/[0-9]*/status 2>/dev/null | wc -l";
    const run = await plg.run(["record", `one=${orphans}`]);
    expectOk(run);
    expect(run.stdout.trim()).toMatch(/\| 0$/);
  });
});

describe("a command that kills all it sees", () => {
  needs();

  test("ends the others of its container, and nothing else", async ({ plg }) => {
    const run = await plg.run([
      "record",
      "--raw",
      "one=until [ -e spared ]; do sleep 0.1; done; echo spared",
      "two=sleep 1000 & kill -9 -1; wait; echo alive; touch spared",
    ]);
    expectOk(run);
    expect(run.stdout).toBe("alive\nspared\n");
  });
});

describe("signals", () => {
  needs("tshark");

  test.for(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s stops the commands and completes the dump",
    async (signal, { plg, folder }) => {
      const run = plg.start([
        "record",
        "--wait-listen=10s",
        `server=${talk} listen=7000 read=5 count-end`,
        `client=${talk} connect=10.0.0.1:7000 send=hello count-end`,
      ]);
      await run.prints(/received hello/);
      run.kill(signal);
      const ended = await run.ended;
      // As shells have it: 130 after Ctrl-C.
      const exitCode = 128 + constants.signals[signal];
      expect(ended).toMatchObject({ exitCode, signal: null });
      expect(ended.stderr).toContain(`plg: ${signal}: stopping the commands`);
      expect(ended.stderr).toMatch(/recorded 1 connection, 5 B/);
      const dump = join(folder, "dump.traffic");
      expect((await streamBytes(dump, 0, "10.0.0.2")).toString()).toBe("hello");
      expect(await tcpComplaints(dump)).toEqual([]);
    },
  );

  test("a second one kills what does not want to end", async ({ plg }) => {
    const run = plg.start(["record", "--grace=1h", `one=${stubborn}`]);
    await run.prints(/stubborn/);
    run.kill("SIGINT");
    await run.prints(/stopping/);
    run.kill("SIGINT");
    expect((await run.ended).exitCode).toBe(130);
  });
});
