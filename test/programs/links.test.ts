// Links are felt by real programs as netem's would be: in ping, in TCP's round trips, in what TCP
// sends again.
import { join } from "node:path";
import { describe, expect } from "vitest";
import { readDump } from "../../src/dump/store/reader.ts";
import { needs } from "./machine.ts";
import { actor, expectOk, linesOf, type Plg, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const roundTrips = actor("round-trips.mjs");
const server = `server=exec ${roundTrips} serve 7000`;

/** What a command printed after this word, as a number. */
function figure(lines: readonly string[], word: string): number {
  const line = lines.find((text) => text.startsWith(`${word} `));
  return Number(line?.slice(word.length));
}

/** Records a client against the server, over these links. Returns what the client printed. */
async function overLinks(plg: Plg, links: readonly string[], client: string): Promise<string[]> {
  const options = links.map((link) => `--link=${link}`);
  const run = await record(plg, "--until=client", ...options, server, `client=${client}`);
  return linesOf(run, "client");
}

/** Within 10 % of `wantedMs`. Each figure is the least of at least 20: a busy machine only adds. */
function expectAbout(ms: number, wantedMs: number): void {
  expect(ms).toBeGreaterThanOrEqual(wantedMs);
  expect(ms).toBeLessThanOrEqual(wantedMs * 1.1);
}

describe("delay", () => {
  needs("ping");

  test.for([
    ["-4", "one->two: delay 40ms", 40],
    ["-6", "one->two: delay 40ms", 40],
    ["-4", "two<->one: delay 40ms", 80],
  ] as const)("ping %s over %s", async ([option, link, wantedMs], { plg }) => {
    const ping = `one=ping -q ${option} -c 20 -i 0.05 two`;
    const run = await plg.run(["record", `--link=${link}`, "--until=one", ping, "two=sleep 60"]);
    expectOk(run);
    const [, leastMs] = /rtt min\/avg\/max\/mdev = ([\d.]+)/.exec(run.stdout) ?? [];
    expectAbout(Number(leastMs), wantedMs);
  });

  test.for([
    ["client->server: delay 40ms", 40],
    ["server->client: delay 40ms", 40],
    ["client<->server: delay 40ms", 80],
    ["server<->client: delay 20ms", 40],
    ["*<->*: delay 20ms", 40],
  ] as const)(
    "TCP over %s connects, exchanges and is refused in time",
    async ([link, wantedMs], { plg }) => {
      const measure = `${roundTrips} measure 10.0.0.1 7000 20; ${roundTrips} refuse 10.0.0.1 7001 20`;
      // A refusal is not held: the server is up before it is asked.
      const wait = `until ${roundTrips} upload 10.0.0.1 7000 1 >/dev/null 2>&1; do :; done`;
      const options = ["--until=client", `--link=${link}`];
      const run = await plg.run(["record", ...options, server, `client=${wait}; ${measure}`]);
      expectOk(run);
      const lines = linesOf(run, "client");
      for (const word of ["connect", "round-trip", "refused"])
        expectAbout(figure(lines, word), wantedMs);
    },
  );
});

describe("a long way", () => {
  needs("nc");

  test("a connection is made over a round trip that is longer than TCP waits to send a SYN again", async ({
    plg,
  }) => {
    const run = await plg.run([
      "record",
      "--wait-listen=10s",
      "--link=client<->server: delay 600ms",
      "server=nc -N -l 7000",
      "client=echo hello | nc -N 10.0.0.1 7000",
    ]);
    expectOk(run);
    expect(linesOf(run, "server")).toEqual(["hello"]);
    expect(run.durationMs).toBeGreaterThan(2400);
  });
});

describe("a container at a link", () => {
  needs("ping");

  test("reaches those at once to whom there is none", async ({ plg }) => {
    const link = "--link=client<->two: delay 1s";
    const measure = `ping -q -4 -c 5 -i 0.02 server; ${roundTrips} measure 10.0.0.1 7000 10`;
    const run = await record(
      plg,
      link,
      "--until=client",
      server,
      `client=${measure}`,
      "two=sleep 60",
    );
    const [, leastMs] = /rtt min\/avg\/max\/mdev = ([\d.]+)/.exec(run.stdout) ?? [];
    expect(Number(leastMs)).toBeLessThan(500);
    expect(figure(linesOf(run, "client"), "round-trip")).toBeLessThan(500);
  });
});

describe("loss", () => {
  needs();

  test.for(["client->server: loss 1%", "client<->server: loss 5% delay 2ms"])(
    "TCP over %s sends again what was lost, and nothing is missing",
    async (link, { plg }) => {
      const upload = `${roundTrips} upload 10.0.0.1 7000 4000000`;
      const lines = await overLinks(plg, [link], upload);
      expect(lines).toContain("same true");
      // About 2800 segments.
      expect(figure(lines, "retransmitted")).toBeGreaterThanOrEqual(10);
    },
  );

  test("the sender sees it where the link is named from its side, else the pipe space does", async ({
    plg,
  }) => {
    const upload = `${roundTrips} upload 10.0.0.1 7000 4000000`;
    const lines = await overLinks(plg, ["server<->client: loss 1%"], upload);
    expect(lines).toContain("same true");
    // None is its own: a busy machine is late with an acknowledgment now and then.
    expect(figure(lines, "retransmitted")).toBeLessThan(10);
  });
});

describe("rate", () => {
  needs();

  test("a megabyte takes its time at 10 Mbit/s, there and back at once", async ({ plg }) => {
    const upload = `${roundTrips} upload 10.0.0.1 7000 1000000`;
    const lines = await overLinks(plg, ["client<->server: rate 10mbit"], upload);
    expect(lines).toContain("same true");
    expect(figure(lines, "uploaded")).toBeGreaterThanOrEqual(800);
  });
});

describe("down and up", () => {
  needs("ping");

  test("nothing passes in between", async ({ plg, folder }) => {
    // It goes on until it has been down and up again: a busy machine may start late.
    const ping = "one=ping -q -4 -i 0.02 -w 4 two; :";
    const options = ["--link=one->two: down at 2s, up at 3s", "--until=one"];
    expectOk(await plg.run(["record", ...options, ping, "two=sleep 60"]));
    const items = [...readDump(join(folder, "dump.traffic"))];
    const times = items.flatMap((item) => (item.type === "packet" ? [item.atNs / 1e9] : []));
    // Answers to what passed before may still come back a little later, and are recorded then.
    const between = times.filter((time) => time > 2.2 && time < 3);
    expect(between).toEqual([]);
    expect(times.some((time) => time < 2)).toBe(true);
    expect(times.some((time) => time > 3)).toBe(true);
  });

  test("a connection lives through it", async ({ plg }) => {
    const upload = `${roundTrips} upload 10.0.0.1 7000 1000000`;
    const link = "client<->server: rate 4mbit down at 1s up at 1.5s";
    const lines = await overLinks(plg, [link], upload);
    expect(lines).toContain("same true");
  });
});

/** Pings over a bad link. Returns which answers came, and how often. */
async function pings(plg: Plg, seed: string): Promise<string[]> {
  const link = "--link=one<->two: loss 20% duplicate 10%";
  const ping = "one=ping -4 -c 60 -i 0.01 two | grep -o 'icmp_seq=.*ttl'";
  const args = ["record", link, `--seed=${seed}`, "--until=one", ping, "two=sleep 60"];
  const run = await plg.run(args);
  expectOk(run);
  expect(run.stderr).toContain(`seed is ${seed}`);
  return linesOf(run, "one");
}

describe("a seed", () => {
  needs("ping");

  test("repeats what is lost and what is doubled; another loses others", async ({ plg }) => {
    const first = await pings(plg, "17");
    expect(first.length).toBeGreaterThan(20);
    expect(await pings(plg, "17")).toEqual(first);
    expect(await pings(plg, "18")).not.toEqual(first);
  });

  test("is chosen, told and kept with the links, if none is given", async ({ plg }) => {
    const link = "two->one: loss 0.5% reorder 1% delay 1ms";
    const args = ["--link", link, "--link=one->*: queue 10ms rate 1gbit"];
    const run = await plg.run(["record", ...args, "one=true", "two=true"]);
    expectOk(run);
    const [, seed = ""] = /seed is (\d+)/.exec(run.stderr) ?? [];
    const shown = await plg.run(["show"]);
    expect(shown.stdout).toContain(`link ${link}\n  link one->*: queue 10ms rate 1gbit\n`);
    expect(shown.stdout).toContain(`seed ${seed}\n`);
    const { notes } = JSON.parse((await plg.run(["show", "--json"])).stdout) as {
      notes: Record<string, unknown>;
    };
    expect(notes).toMatchObject({ seed: Number(seed), links: expect.stringContaining(link) });
  });
});

describe("in a replay", () => {
  needs();

  test.for(["client->server: delay 30ms", "server->client: delay 30ms"])(
    "a live process is on one side of %s, whoever is named first",
    async (link, { plg }) => {
      const client = `${roundTrips} measure 10.0.0.1 7000 10`;
      const lines = await overLinks(plg, [], client);
      expect(figure(lines, "round-trip")).toBeLessThan(30);
      const both = await expectSame(plg, `--link=${link}`);
      expect(figure(both.lines("client"), "round-trip")).toBeGreaterThanOrEqual(30);
      const alone = await expectSame(plg, "--only=client", `--link=${link}`);
      expect(figure(alone.lines("client"), "connect")).toBeGreaterThanOrEqual(30);
      await expectSame(plg, "--only=server", `--link=${link} loss 5%`);
    },
  );

  test("patience covers the way over a link", async ({ plg }) => {
    await overLinks(plg, [], `${roundTrips} measure 10.0.0.1 7000 1`);
    // Less than a way there and back, and more than a program's start takes longer on a busy
    // machine.
    const options = ["--link=client<->server: delay 400ms", "--patience=600ms"];
    for (const only of ["client", "server"]) await expectSame(plg, `--only=${only}`, ...options);
  });
});
