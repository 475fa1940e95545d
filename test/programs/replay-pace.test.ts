// When things happen: as soon as the process has done what came before, at the recorded pace, or at
// once. And whatever a process does, its replay comes to an end.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, type Plg, pythonActor, test } from "./plg.ts";
import { expectDiffers, expectSame, record, replay } from "./replays.ts";

const questions = actor("questions.mjs");
const talk = actor("talk.mjs");

describe("the pace of a replay", () => {
  needs();

  test("is the process's own, and with --speed the recorded one", async ({ plg }) => {
    const server = `server=${questions} serve 7000`;
    const client = (pauseMs: number): string => `client=${questions} ask server 7000 4 ${pauseMs}`;
    await record(plg, "--until=client", server, client(1000));
    const answers = [1, 2, 3, 4].map((i) => `answer: question ${i}`);

    const hurried = await expectSame(plg, "--only=client", client(0));
    expect(hurried.lines("client")).toEqual(answers);
    expect(hurried.report).toMatchObject({ count: 0 });
    expect(hurried.run.durationMs).toBeLessThan(2000);
    // The pauses, of 3 s in all, were the client's: the server alone has nobody to wait for.
    expect((await expectSame(plg, "--only=server")).run.durationMs).toBeLessThan(3000);

    const paced = await expectSame(plg, "--only=server", "--speed=1");
    expect(paced.run.durationMs).toBeGreaterThan(3000);
    expect(paced.run.durationMs).toBeLessThan(6000);
  });
});

const server = `server=${questions} serve 7000`;
const client = `client=${questions} ask server 7000 20`;
const patience = "--patience=500ms";
const folder = mkdtempSync(join(tmpdir(), "plg-test-astray-"));
const path = join(folder, "dump.traffic");
const dump = `--file=${path}`;
afterAll(() => rmSync(folder, { recursive: true }));

/** One recording for all: what is told apart is how each process strays from it. */
async function recorded(plg: Plg): Promise<void> {
  if (!existsSync(path)) await record(plg, dump, "--until=client", server, client);
}

describe("a process that goes its own way", () => {
  needs("nc");

  test.for([
    { what: "exits at once", instead: "true", process: "client" },
    { what: "never connects", instead: "exec sleep 1000", process: "client" },
    {
      what: "connects and says nothing",
      instead: `exec ${talk} connect=server:7000 read-end`,
      process: "client",
    },
    {
      what: "connects to another port for ever",
      instead: `while :; do ${talk} connect=server:7001; done`,
      process: "client",
    },
    { what: "sends without end", instead: "exec nc server 7000 </dev/zero", process: "client" },
    { what: "never listens", instead: "exec sleep 1000", process: "server" },
    { what: "exits at once", instead: "exit 0", process: "server" },
    {
      what: "accepts and says nothing",
      instead: `exec ${talk} listen=7000 await=never`,
      process: "server",
    },
    { what: "answers with noise", instead: "exec nc -l 7000 </dev/zero", process: "server" },
  ])("$process $what: the replay ends, with a report", async ({ instead, process }, { plg }) => {
    await recorded(plg);
    const astray = await replay(
      plg,
      [dump, `--only=${process}`, patience, `${process}=${instead}`],
      {
        timeoutMs: 20_000,
      },
    );
    expect(astray.run, astray.run.stderr).toMatchObject({ exitCode: 3, signal: null });
    expect(Object.keys(astray.report.byProcess)).toEqual([process]);
    expect(astray.run.durationMs).toBeLessThan(6000);
  });
});

describe("a process that was changed", () => {
  needs();

  test("differs alone: the others see the recording to its end", async ({ plg }) => {
    await recorded(plg);
    const changed = await expectDiffers(
      plg,
      "server",
      dump,
      `server=${questions} serve 7000 reply`,
    );
    expect(changed.lines("client")).toHaveLength(20);
    expect(changed.lines("client").at(-1)).toBe("answer: question 20");
    const [difference] = changed.report.differences;
    expect(difference).toMatchObject({ kind: "bytes", process: "server", offset: 0 });
    const other = await expectDiffers(
      plg,
      "client",
      dump,
      `client=${questions} ask server 7000 20 0 query`,
    );
    expect(other.report.differences).toMatchObject([{ kind: "bytes", offset: 3 }]);
    expect(other.report.differences[0]?.text).toMatch(/^client: /);
  });

  test("stopped from outside, by Ctrl-C", async ({ plg }) => {
    await recorded(plg);
    const running = plg.start([
      "replay",
      dump,
      "--patience=60s",
      "client=echo up; exec sleep 1000",
    ]);
    await running.prints(/up/);
    running.kill("SIGINT");
    const run = await running.ended;
    expect(run.durationMs).toBeLessThan(15_000);
    expect(run).toMatchObject({ exitCode: 130, signal: null });
  });
});

describe("a connection that is read only at the end", () => {
  needs("python3");

  test("delays its process once, not with each write", async ({ plg }) => {
    const streams = pythonActor("streams.py");
    await record(
      plg,
      `server=${streams} chat 7000 200`,
      `client=${streams} overhear 10.0.0.1 7000 200`,
    );
    for (const way of [[], ["--only=client"]]) {
      const replayed = await expectSame(plg, ...way);
      expect(replayed.lines("client")).toEqual(["log: 1800 bytes"]);
      // Each of the 200 writes would wait for 50 ms.
      expect(replayed.report.durationMs).toBeLessThan(5000);
    }
  });
});
