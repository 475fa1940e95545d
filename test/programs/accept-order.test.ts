// A server accepts connections in the order of their SYNs, also those that had to wait for it; and
// when it is replayed, in the order in which it had accepted them.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, type Plg, pythonActor, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const turns = pythonActor("turns.py");

/** Records, and replays each way; the client must get its turns in order. */
async function expectTurns(plg: Plg, server: string, client: string, count: number): Promise<void> {
  const run = await record(plg, `server=${turns} ${server}`, `client=${turns} ${client}`);
  const inOrder = [[...Array(count).keys()].join(" ")];
  expect(linesOf(run, "client")).toEqual(inOrder);
  await expectSame(plg, "--only=server");
  expect((await expectSame(plg, "--only=client")).lines("client")).toEqual(inOrder);
}

describe("the order in which a server accepts is that of the SYNs", () => {
  needs("python3");

  test.for(["10.0.0.1", "fd70:6c67:a00::1"])(
    "where it starts late, at %s",
    async (host, { plg, folder }) => {
      const file = `${folder}/connecting`;
      await expectTurns(plg, `late 30 ${file}`, `visit ${host} 30 ${file} 0.003`, 30);
    },
  );

  test("where its backlog is full", async ({ plg, folder }) => {
    // The third SYN comes 0.6 s after the second, and so do their retransmissions. The server
    // accepts in between: the third is repeated when there is room, and the second was there before
    // it.
    const file = `${folder}/connecting`;
    await expectTurns(plg, `full 3 ${file}`, `visit 10.0.0.1 3 ${file} 0.6`, 3);
  });
});
