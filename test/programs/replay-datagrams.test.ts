// UDP passes as it is between two live processes; of one that is not live the recorded datagrams
// are sent.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, linesOf, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const datagrams = actor("datagrams.mjs");

describe("UDP, replayed", () => {
  needs();

  test("both live, and each side against the recorded other", async ({ plg }) => {
    const server = `server=${datagrams} serve 7000 3`;
    // The server is up before anybody asks: then there is one question for each answer.
    const client = `client=sleep 0.4; ${datagrams} ask 10.0.0.1 7000 3`;
    const run = await record(plg, server, client);
    const answers = ["answer to question 1", "answer to question 2", "answer to question 3"];
    expect(linesOf(run, "client")).toEqual(answers);
    expect((await expectSame(plg)).lines("client")).toEqual(answers);
    const alone = await expectSame(plg, "--only=client");
    expect(alone.lines("client")).toEqual(answers);
    const served = await expectSame(plg, "--only=server", "--speed=1");
    expect(served.lines("server")).toEqual(linesOf(run, "server"));
  });
});
