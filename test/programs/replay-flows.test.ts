// Datagrams between live processes, flow by flow, and those that are played to them.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { pythonActor, test } from "./plg.ts";
import { expectSame, record, replay } from "./replays.ts";

const udp = pythonActor("udp_threads.py");

describe("threads that send datagrams, replayed", () => {
  needs("python3");

  test("each flow keeps its place among the events of TCP, in every order", async ({ plg }) => {
    await record(plg, `server=${udp} serve 7000 3`, `client=${udp} ask 10.0.0.1 7000 3`);
    const orders = ["process", "connection", "global"].map((order) => `--order=${order}`);
    for (const way of [...orders, "--only=server", "--only=client", "--speed=1"])
      await expectSame(plg, way);
  });
});

describe("a burst of datagrams that is played to a live receiver", () => {
  needs("python3");

  test("overruns it no more than it did", async ({ plg }) => {
    await record(plg, `server=${udp} burst 7000 1500`, `client=${udp} catch 10.0.0.1 7000 1500`);
    for (let time = 0; time < 2; time++) {
      const replayed = await expectSame(plg, "--only=client");
      const got = Number(replayed.lines("client")[0]?.split(" ")[1]);
      const dropped = replayed.report.notes[0]?.datagrams ?? 0;
      expect(got + dropped).toBe(1500);
      // Without a pace some 200 to 500 were dropped. A socket holds about 90.
      expect(dropped).toBeLessThan(100);
    }
  });

  test("says how many a receiver dropped that does not read", async ({ plg }) => {
    await record(plg, `server=${udp} burst 7000 1500`, `client=${udp} catch 10.0.0.1 7000 1500`);
    const replayed = await replay(plg, [
      "--only=client",
      `client=${udp} doze 10.0.0.1 7000`,
      "--patience=500ms",
    ]);
    expect(replayed.report.notes).toMatchObject([{ kind: "dropped-datagrams", process: "client" }]);
    expect(replayed.report.notes[0]?.datagrams).toBeGreaterThan(1000);
  });
});
