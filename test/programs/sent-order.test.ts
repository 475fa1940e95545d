// Bytes on a connection that was just opened reach the server before those that the client sends
// afterwards on another connection.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, pythonActor, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const sentOrder = pythonActor("sent_order.py");
const count = 100;

describe("what a client sends on a new connection, then on an old one", () => {
  needs("python3");

  test("arrives in this order, recorded and replayed", async ({ plg }) => {
    const run = await record(
      plg,
      `server=${sentOrder} serve ${count}`,
      `client=${sentOrder} ask 10.0.0.1 ${count}`,
    );
    const inOrder = [`${count} of ${count} in order`];
    expect(linesOf(run, "server")).toEqual(inOrder);
    expect((await expectSame(plg, "--only=server")).lines("server")).toEqual(inOrder);
    expect((await expectSame(plg)).lines("server")).toEqual(inOrder);
  });
});
