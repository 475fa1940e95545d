import { describe, expect, test } from "vitest";
import { problemsOf } from "../../e2e-fuzz/rules.ts";
import type { Ending, Side, Step } from "../../e2e-fuzz/scenario.ts";
import { accept, close, connect, scenarioOf, whole } from "./scenarios.ts";

function end(by: Side, ending: Ending, connection = 0): Step {
  return { do: "end", connection, by, ending };
}

const write = (bytes: number): Step => ({ do: "write", connection: 0, from: "client", bytes });
const halfClose = (from: Side): Step => ({ do: "halfClose", connection: 0, from });

describe("problemsOf", () => {
  test("finds none where there is none", () => {
    expect(problemsOf(scenarioOf(2, [...whole(0, write(5)), ...whole(1)]))).toEqual([]);
  });

  test.each<[problem: RegExp, count: number, steps: readonly Step[]]>([
    [/0 does not end/, 1, [connect(0), accept(0)]],
    [/0 is connected/, 1, [connect(0), close(0)]],
    [/1 is not the next/, 2, [connect(0), connect(1), accept(1)]],
    [/0 connects twice/, 1, [connect(0), connect(0)]],
    [/stays unread/, 1, whole(0, write(5000), write(5000))],
    [/the client of 0 has ended/, 1, whole(0, halfClose("client"), write(1))],
    [
      /the server of 0 has ended/,
      1,
      [connect(0), accept(0), halfClose("server"), end("client", { how: "reset", lastBytes: 0 })],
    ],
    [
      /a step follows a process' exit/,
      2,
      [connect(0), accept(0), end("server", { how: "leave" }), ...whole(1)],
    ],
    [/wait for each other's exit/, 1, [connect(0), accept(0), end("client", { how: "leave" })]],
  ])("finds %s", (problem, count, steps) => {
    expect(problemsOf(scenarioOf(count, steps)).join("\n")).toMatch(problem);
  });

  test("keeps a port from being used again too early, or too soon after its client closed", () => {
    const connection = { localPort: 3000 };
    const together = [connect(0), accept(0), connect(1), accept(1), close(0), close(1)];
    expect(problemsOf(scenarioOf(2, together, { connection })).join()).toMatch(/has the port of 0/);
    const closing = [connect(0), accept(0), end("client", { how: "close" }), ...whole(1)];
    expect(problemsOf(scenarioOf(2, closing, { connection })).join()).toMatch(/TIME_WAIT/);
    expect(problemsOf(scenarioOf(2, [...whole(0), ...whole(1)], { connection }))).toEqual([]);
  });

  test("does not let bytes wait for an acknowledgment when a reset follows", () => {
    const steps = [connect(0), accept(0), end("server", { how: "reset", lastBytes: 9 })];
    expect(problemsOf(scenarioOf(1, steps))).toEqual([]);
    const connection = { noDelay: false };
    expect(problemsOf(scenarioOf(1, steps, { connection })).join()).toMatch(/acknowledgment/);
  });
});
