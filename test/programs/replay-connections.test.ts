// What TCP does between two machines happens again at the recorded byte, as both ends report it.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, linesOf, test } from "./plg.ts";
import { expectSame, record, replay } from "./replays.ts";

const talk = actor("talk.mjs");
const questions = actor("questions.mjs");

const exchanges = [
  {
    what: "the client ends first and is still answered",
    server: "listen=7000 read-end send=answer end",
    client: "send=question end read-end",
  },
  {
    what: "the server ends first and is still asked",
    server: "listen=7000 send=greeting end read-end",
    client: "read-end send=thanks end",
  },
  {
    what: "the server resets the connection when it was told to",
    server: "listen=7000 send=before read=2 reset",
    client: "read=6 send=go wait-error",
  },
  {
    what: "the client resets the connection when it was told to",
    server: "listen=7000 read=6 send=go wait-error",
    client: "send=before read=2 reset",
  },
  {
    what: "nothing is said at all",
    server: "listen=7000 end read-end",
    client: "end read-end",
  },
  {
    what: "20 MB, and the end right behind them",
    server: "listen=7000 sendbytes=20000000 end",
    client: "count-end",
  },
] as const;

describe("endings, replayed", () => {
  needs();

  test("half-closes, resets and ends come at their byte, to either side", async ({ plg }) => {
    const servers = exchanges.map((_, i) => `server-${i}`);
    const clients = exchanges.map((_, i) => `client-${i}`);
    const commands = exchanges.flatMap(({ server, client }, i) => [
      `server-${i}=${talk} ${server}`,
      // By its number: a client that tries both IP families does so by the clock.
      `client-${i}=${talk} connect=10.0.0.${2 * i + 1}:7000 ${client}`,
    ]);
    const run = await record(plg, ...commands);
    for (const live of [[...servers, ...clients], servers, clients]) {
      const replayed = await expectSame(plg, `--only=${live.join(",")}`);
      for (const name of live)
        expect(replayed.lines(name), `${name}: ${exchanges[Number(name.slice(-1))]?.what}`).toEqual(
          linesOf(run, name),
        );
    }
  });
});

describe("connections that did not come about, replayed", () => {
  needs();

  test("refused ones are refused, and there is still no container at an unused address", async ({
    plg,
  }) => {
    const client = `client=${talk} connect=10.0.0.2:7000; ${talk} connect=10.0.0.77:7000`;
    await record(plg, "--wait-listen=0s", client, "other=sleep 0.5");
    for (const options of [[], ["--only=client"]]) {
      const replayed = await expectSame(plg, ...options);
      expect(replayed.lines("client")).toEqual(["error ECONNREFUSED", "error EHOSTUNREACH"]);
    }
    await expectSame(plg, "--only=other");
  });

  test("a refused attempt before an accepted one: in that order", async ({ plg }) => {
    const client = `client=${talk} connect=10.0.0.1:7001; ${talk} connect=10.0.0.1:7000 send=hello end`;
    await record(plg, `server=${talk} listen=7000 read-end`, "--wait-listen=1s", client);
    const alone = await expectSame(plg, "--only=client");
    expect(alone.lines("client")).toEqual(["error ECONNREFUSED", "connected"]);
    await expectSame(plg, "--only=server");
  });

  test("one that the recording does not have is refused and told", async ({ plg }) => {
    const connect = (port: number): string => `${talk} connect=10.0.0.1:${port}`;
    await record(plg, `server=${talk} listen=7000 read-end`, `client=${connect(7000)} end`);
    const more = `client=${connect(7000)} end; ${connect(7000)}; ${connect(7001)}`;
    const changed = await replay(plg, ["--only=client", more]);
    expect(changed.run.exitCode).toBe(3);
    expect(changed.lines("client")).toEqual([
      "connected",
      "error ECONNREFUSED",
      "error ECONNREFUSED",
    ]);
    expect(changed.report.differences).toMatchObject([
      { kind: "unexpected-connection", process: "client", server: "server", serverPort: 7000 },
      { kind: "unexpected-connection", process: "client", server: "server", serverPort: 7001 },
    ]);
  });
});

describe("a thousand connections at once, replayed", () => {
  needs();

  test("each is recognised, in whatever order they come", async ({ plg }) => {
    const count = 1000;
    const server = `server=${questions} serve 7000`;
    const client = (seed: number): string =>
      `client=${questions} ask-at-once 10.0.0.1 7000 ${count} ${seed}`;
    const run = await record(plg, "--until=client", server, client(0));
    expect(linesOf(run, "client")).toEqual([`{"right":${count}}`]);
    for (const seed of [0, 1]) {
      const alone = await expectSame(plg, "--only=client", client(seed));
      expect(alone.lines("client"), `seed ${seed}`).toEqual([`{"right":${count}}`]);
      expect(alone.report.notes).toEqual([]);
    }
    const all = await expectSame(plg, client(2));
    expect(all.lines("client")).toEqual([`{"right":${count}}`]);
  });
});
