// Redis with several clients, among them subscribers: who listens is woken by what another client
// does.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, type Plg, test } from "./plg.ts";
import { redisClients, redisCommands } from "./replay-fixtures.ts";
import { expectSame, record } from "./replays.ts";

/** Records; returns what each client printed. */
async function recordClients(plg: Plg): Promise<Record<string, string[]>> {
  const run = await record(plg, "--until=pub", ...redisCommands);
  return Object.fromEntries(redisClients.map((name) => [name, linesOf(run, name)]));
}

describe("redis, replayed", () => {
  needs("redis-server", "redis-cli", "stdbuf");

  test("publishing and subscribing: all live, each side alone, in every order", async ({ plg }) => {
    const printed = await recordClients(plg);
    expect(printed["first"]?.filter((line) => line.startsWith("item-"))).toHaveLength(3);
    for (const order of ["process", "connection", "global"]) {
      const all = await expectSame(plg, `--order=${order}`);
      for (const name of redisClients) expect(all.lines(name), name).toEqual(printed[name]);
    }
    await expectSame(plg, "--only=server");
    for (const name of redisClients) {
      const alone = await expectSame(plg, `--only=${name}`);
      expect(alone.lines(name), name).toEqual(printed[name]);
    }
    const both = await expectSame(plg, "--only=first,second");
    expect(both.lines("first")).toEqual(printed["first"]);
    expect(both.lines("second")).toEqual(printed["second"]);
  });

  test("five times in a row, without a difference", async ({ plg }) => {
    const run = await record(plg, "--until=pub", "--verify=5", ...redisCommands);
    expect(run.stderr).toMatch(/replays without a difference 5 times of 5$/m);
  });

  test("at the recorded pace, and with no pace at all", async ({ plg }) => {
    const printed = await recordClients(plg);
    for (const pace of ["--speed=1", "--flood"]) {
      const replayed = await expectSame(plg, pace, "--only=first,pub");
      for (const name of ["first", "pub"])
        expect(replayed.lines(name), `${name} with ${pace}`).toEqual(printed[name]);
    }
  });

  test("a flood cuts nobody off who is still asking", async ({ plg }) => {
    const server = "exec redis-server --bind 0.0.0.0 --protected-mode no --save '' >server.log";
    const run = await record(
      plg,
      "--until=client",
      `server=${server}`,
      "client=for i in 1 2 3; do redis-cli -h 10.0.0.1 -r 400 incr n | tail -n 1; done",
    );
    expect(linesOf(run, "client")).toEqual(["400", "800", "1200"]);
    for (const way of [[], ["--only=server"], ["--only=client"]]) {
      const replayed = await expectSame(plg, "--flood", ...way);
      if (!way.includes("--only=server"))
        expect(replayed.lines("client")).toEqual(["400", "800", "1200"]);
    }
  });
});
