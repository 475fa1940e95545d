// Any subnet that holds the commands will do, and several plg may use the same at once.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, linesOf, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const talk = actor("talk.mjs");

/** One exchange over IPv4, one over IPv6; and the addresses of the two. */
function commands(server: string, server6: string): string[] {
  const say = (address: string): string =>
    `${talk} connect=${address}:7000 send=hello end read-end`;
  const hear = `${talk} listen=7000 read-end end`;
  return [
    `server=${hear} && ${hear}`,
    `client=echo $PLG_ADDRESS; ${say(server)} && ${say(server6)}`,
  ];
}

const subnets = [
  ["10.0.0.0/30", "10.0.0.1", "10.0.0.2"],
  ["172.20.0.0/16", "172.20.0.1", "172.20.0.2"],
  ["11.0.0.0/8", "11.0.0.1", "11.0.0.2"],
  ["8.8.8.0/28", "8.8.8.1", "8.8.8.2"],
  ["198.51.100.128/25", "198.51.100.129", "198.51.100.130"],
] as const;
const subnet6 = "2001:db8:77::/120";

describe("subnets", () => {
  needs();

  test.for(subnets)("%s", async ([subnet, server, client], { plg }) => {
    const both = commands(server, "[2001:db8:77::1]");
    const run = await record(plg, "-s", subnet, "--subnet6", subnet6, ...both);
    expect(linesOf(run, "client")[0]).toBe(client);
    expect(run.stderr).toMatch(/recorded 2 connections, 10 B/);
    await expectSame(plg);
  });

  test("the same in three runs at once: each its own", async ({ plg }) => {
    const both = commands("10.0.0.1", "[fd70:6c67:a00::1]");
    const runs = await Promise.all(
      ["a", "b", "c"].map((name) => plg.run(["record", "--wait-listen=10s", "-f", name, ...both])),
    );
    for (const run of runs) {
      expectOk(run);
      expect(run.stderr).toMatch(/recorded 2 connections, 10 B/);
    }
  });
});
