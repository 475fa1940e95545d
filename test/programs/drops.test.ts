// Packets that do not arrive are counted and told, by reason.
import { describe, expect } from "vitest";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, type Plg, test } from "./plg.ts";

interface Counts {
  readonly links: { readonly sent: number; readonly lost: number };
  readonly dropped: Readonly<Record<string, number>>;
}

const none = { malformed: 0, foreign: 0, refused: 0, unrecorded: 0 };

/** Records two commands until the first ends. */
async function recorded(plg: Plg, one: string, two: string, ...options: readonly string[]) {
  const run = await plg.run(["record", "--json", "--until=one", ...options, one, two]);
  expectOk(run);
  return { ...(JSON.parse(run.stdout) as Counts), said: run.stderr };
}

describe("on links", () => {
  needs("ping");

  test("each that was lost is missed by ping, and told", async ({ plg }) => {
    const options = ["--link=one<->two: loss 20%", "--seed=5"];
    const ping = "one=ping -q -4 -c 60 -i 0.01 two";
    const { links, dropped, said } = await recorded(plg, ping, "two=sleep 60", ...options);
    const [, received] = /60 packets transmitted, (\d+) received/.exec(said) ?? [];
    expect(links.lost).toBe(60 - Number(received));
    expect(links.lost).toBeGreaterThan(10);
    // The requests, and the answers to those that arrived.
    expect(links.sent).toBeGreaterThan(60);
    expect(links.sent).toBeLessThan(120);
    expect(said).toContain(`plg: the links lost ${links.lost} of ${links.sent} packets (`);
    expect(dropped).toEqual(none);
  });

  test("in a replay, too", async ({ plg }) => {
    const { said } = await recorded(plg, "one=ping -q -4 -c 5 -i 0.01 -w 1 two", "two=sleep 60");
    expect(said).not.toContain("links lost");
    const run = await plg.run(["replay", "--link=one<->two: loss 100%"]);
    expect(run.stderr).toMatch(/^plg: the links lost (\d+) of \1 packets \(100\.0 %\)$/m);
  });
});

describe("without links", () => {
  needsRoot("ping", "ip");

  test.for([
    {
      reason: "foreign",
      told: "from or to an address outside the subnet",
      one: "ip route add default dev tun0; ping -q -c 3 -i 0.05 -W 1 192.0.2.1",
      two: "true",
    },
    {
      reason: "refused",
      told: "not taken by the device that was to receive it",
      one: "until [ -e down ]; do sleep 0.01; done; ping -q -4 -c 3 -i 0.05 -W 1 two",
      two: "ip link set tun0 down; touch down; exec sleep 60",
    },
  ])("$reason: $told", async ({ reason, told, one, two }, { plg }) => {
    const { links, dropped, said } = await recorded(plg, `one=${one}; :`, `two=${two}`);
    expect(dropped).toEqual({ ...none, [reason]: 3 });
    expect(said).toContain(`plg: 3 packets dropped: ${told}`);
    expect(links).toEqual({ sent: 0, lost: 0 });
  });
});
