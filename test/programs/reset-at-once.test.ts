// A server may reset a connection in the moment in which it accepts it. Its client is connected
// first.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, pythonActor, test } from "./plg.ts";
import { expectSame, record, recordedConnections } from "./replays.ts";

const resetAtOnce = pythonActor("reset_at_once.py");
const count = 200;
const seen = [`${count} x recv: ECONNRESET`];

describe("a server that resets as soon as it accepts", () => {
  needs("python3");

  test.for(["10.0.0.1", "fd70:6c67:a00::1"])(
    "lets connect return first, recorded and replayed, at %s",
    async (host, { plg }) => {
      const run = await record(
        plg,
        `server=${resetAtOnce} serve ${count}`,
        `client=${resetAtOnce} connect ${host} ${count}`,
      );
      expect(linesOf(run, "client")).toEqual(seen);
      const connections = await recordedConnections(plg);
      expect(connections).toHaveLength(count);
      expect(connections.every(({ ending }) => ending === "reset by server")).toBe(true);
      expect((await expectSame(plg)).lines("client")).toEqual(seen);
      expect((await expectSame(plg, "--only=client")).lines("client")).toEqual(seen);
      await expectSame(plg, "--only=server");
    },
  );

  test("lets its last words arrive", async ({ plg }) => {
    const run = await record(
      plg,
      `server=${resetAtOnce} serve ${count} bye`,
      `client=${resetAtOnce} connect 10.0.0.1 ${count}`,
    );
    const heard = [`${count} x recv: bye`];
    expect(linesOf(run, "client")).toEqual(heard);
    expect((await expectSame(plg, "--only=client")).lines("client")).toEqual(heard);
    await expectSame(plg, "--only=server");
  });
});
