// Datagrams between live processes, flow by flow, and those that are played to them.
import { describe } from "vitest";
import { needs } from "./machine.ts";
import { pythonActor, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

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
