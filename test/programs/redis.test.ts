import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

const server = "server=redis-server --bind 0.0.0.0 :: --protected-mode no --save '' --dir .";

describe("redis", () => {
  needs("redis-server", "redis-cli", "redis-benchmark");

  test("a client sets and gets a key", async ({ plg }) => {
    const client =
      "client=redis-cli -h server set greeting hello && redis-cli -h server get greeting";
    const run = await plg.run(["record", "--wait-listen=10s", "--until=client", server, client]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["OK", "hello"]);
  });

  test("redis-benchmark runs to its end", async ({ plg }) => {
    const client = "client=redis-benchmark -h 10.0.0.1 -n 20000 -c 50 -t ping,set,get --csv";
    const run = await plg.run(["record", "--wait-listen=10s", "--until=client", server, client]);
    expectOk(run);
    const tests = linesOf(run, "client").map((line) => line.split(",")[0]);
    expect(tests).toEqual(['"test"', '"PING_INLINE"', '"PING_MBULK"', '"SET"', '"GET"']);
  });
});
