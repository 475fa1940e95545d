import { describe, expect, test } from "vitest";
import { expectedDump } from "../../e2e-fuzz/expected.ts";
import { programsOf } from "../../e2e-fuzz/parts.ts";
import type { Step } from "../../e2e-fuzz/scenario.ts";
import { accept, connect, scenarioOf, whole } from "./scenarios.ts";

const write = (bytes: number): Step => ({ do: "write", connection: 0, from: "server", bytes });
const transfer = (bytes: number): Step => ({
  do: "transfer",
  connection: 0,
  from: "server",
  bytes,
});

describe("programsOf", () => {
  test("gives each thread its operations, in the order of the steps", () => {
    const [server, client] = programsOf(scenarioOf(1, whole(0, transfer(10))));
    expect(server?.threads).toEqual([
      [
        [1, "accept", 0, 0],
        [2, "send", 0, 0, 10, 0, 0],
        [3, "close", 0],
      ],
    ]);
    expect(client?.threads).toEqual([
      [
        [0, "connect", [0]],
        [2, "receive", 0, 0, 10, 0, 0],
        [3, "read_end", 0],
        [3, "close", 0],
      ],
    ]);
  });

  test("has what was written read together with what comes next", () => {
    const [, client] = programsOf(scenarioOf(1, whole(0, write(3), write(4), transfer(10))));
    expect(client?.threads[0]).toContainEqual([4, "receive", 0, 0, 17, 0, 0]);
  });

  test("has what was written read before the end", () => {
    const [, client] = programsOf(scenarioOf(1, whole(0, write(3))));
    expect(client?.threads[0]).toContainEqual([3, "receive", 0, 0, 3, 0, 0]);
  });

  test("waits for the other side's answer before it resets", () => {
    const reset: Step = {
      do: "end",
      connection: 0,
      by: "server",
      ending: { how: "reset", lastBytes: 0 },
    };
    const [server] = programsOf(scenarioOf(1, [connect(0), accept(0), transfer(5), reset]));
    expect(server?.threads[0]?.slice(-2)).toEqual([
      [3, "receive", 0, 0, 1, 0, 0],
      [3, "reset", 0],
    ]);
  });
});

describe("expectedDump", () => {
  test("knows the bytes and the ends", () => {
    const { connections } = expectedDump(scenarioOf(1, whole(0, write(3), transfer(10))));
    expect(connections.map(({ streams }) => streams)).toEqual([
      {
        client: { leastBytes: 0, mostBytes: 0, end: "end" },
        server: { leastBytes: 13, mostBytes: 13, end: "end" },
      },
    ]);
  });

  test("knows that buffers decide how much a cancelled sender gets rid of", () => {
    const cancel: Step = {
      do: "end",
      connection: 0,
      by: "client",
      ending: { how: "cancel", readBytes: 100, limitBytes: 5000, isReset: false },
    };
    const { connections } = expectedDump(scenarioOf(1, [connect(0), accept(0), write(3), cancel]));
    expect(connections[0]?.streams.server).toEqual({
      leastBytes: 103,
      mostBytes: 5003,
      end: "over",
    });
  });
});
