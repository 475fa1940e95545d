// A server that listens before it is ready has as much time to become ready as it had.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, pythonActor, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const slowStart = pythonActor("slow_start.py");

describe("a server that listens before it is ready", () => {
  needs("python3");

  test("is connected to no sooner than in the recording", async ({ plg }) => {
    const run = await record(
      plg,
      `server=${slowStart} serve 7000 0.5 2`,
      `client=${slowStart} ask server 7000 4`,
    );
    expect(linesOf(run, "client")).toEqual(["answer: ready"]);
    for (const way of [["--only=server"], [], ["--only=server", "--order=connection"]])
      await expectSame(plg, ...way);
  });

  test("gets a moment more if it starts more slowly", async ({ plg }) => {
    await record(
      plg,
      `server=${slowStart} serve 7000 0.2 0.1`,
      `client=${slowStart} ask server 7000 1`,
    );
    const slower = `server=${slowStart} serve 7000 6 0.1`;
    await expectSame(plg, "--patience=10s", "--only=server", slower);
  });
});
