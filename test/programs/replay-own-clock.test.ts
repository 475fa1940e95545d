// What a process does by its own timers happens at the same time after its start, in a replay as
// well.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, type Plg, pythonActor, test } from "./plg.ts";
import { expectSame, record, type Replayed } from "./replays.ts";

const streams = pythonActor("streams.py");
/** All live, and each alone. */
const eachAlone = (...names: readonly string[]): string[][] => [
  [],
  ...names.map((name) => [`--only=${name}`]),
];

/** Replays in these ways at the same time, because each mostly sleeps. */
async function atOnce(
  ways: readonly (readonly string[])[],
  replayIn: (way: readonly string[]) => Promise<unknown>,
): Promise<void> {
  await Promise.all(ways.map(replayIn));
}

async function expectAllEndBySelf(plg: Plg, way: readonly string[]): Promise<Replayed> {
  const replayed = await expectSame(plg, ...way);
  expect(replayed.report.commands.filter(({ stopped }) => stopped)).toEqual([]);
  return replayed;
}

describe("a process with a timer, replayed", () => {
  needs("python3", "nc");

  test("a command that only sleeps, next to a client that is refused", async ({ plg }) => {
    const run = await plg.run(["record", "sleeper=sleep 4", "client=nc -w1 sleeper 99; true"]);
    expect(run.exitCode).toBe(0);
    await atOnce([[], ["--only=sleeper"], ["--patience=500ms"]], async (way) => {
      const { report } = await expectAllEndBySelf(plg, way);
      expect(report.durationMs).toBeGreaterThan(3900);
    });
  });

  test("a server that sleeps before it reads what a client pushes", async ({ plg }) => {
    await record(
      plg,
      `server=${streams} dawdle 7000 6 65536 0`,
      `client=${streams} heap 10.0.0.1 7000 200000000`,
    );
    for (const way of eachAlone("server", "client")) {
      const replayed = await expectAllEndBySelf(plg, way);
      if (!way.includes("--only=server"))
        expect(replayed.lines("client")).toEqual(["answer: 200000000"]);
    }
  });

  test("a reader that is slow while it serves others", async ({ plg }) => {
    await record(
      plg,
      `server=${streams} dawdle 7000 0 20000 2 & ${streams} echo 7001; wait`,
      `client=${streams} heap 10.0.0.1 7000 20000000 & ${streams} converse 10.0.0.1 7001 300; wait`,
    );
    for (const way of [...eachAlone("server", "client"), ["--order=connection"]])
      await expectAllEndBySelf(plg, way);
  });
});

describe("subscribers of redis, replayed", () => {
  needs("redis-server", "redis-cli", "timeout");

  test("one that its own timer kills after the last message", async ({ plg }) => {
    // Two seconds pass between the last message and the end.
    const run = await record(
      plg,
      "--until=worker",
      "server=exec redis-server --bind 0.0.0.0 --protected-mode no --save '' >server.log",
      "subscriber=timeout 7 redis-cli -h 10.0.0.1 subscribe news; test $? = 124",
      "publisher=sleep 1; for i in 1 2 3 4; do redis-cli -h 10.0.0.1 publish news $i; sleep 1; done",
      "worker=for i in $(seq 40); do redis-cli -h 10.0.0.1 incr n; sleep 0.2; done",
    );
    expect(linesOf(run, "worker")).toHaveLength(40);
    await atOnce(eachAlone("server", "subscriber", "publisher", "worker"), (way) =>
      expectSame(plg, ...way),
    );
  });
});
