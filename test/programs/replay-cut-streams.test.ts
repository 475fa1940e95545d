// Where the receiver broke off, how much its sender got rid of is chance: no difference, to either
// side.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, pythonActor, test } from "./plg.ts";
import { expectDiffers, expectSame, record } from "./replays.ts";

const streams = pythonActor("streams.py");
const ways = [[], ["--only=server"], ["--only=client"], ["--order=connection"], ["--speed=1"]];

const broken = [
  {
    what: "a client cancels its download",
    server: "pour 7000 50000000",
    client: "sip 10.0.0.1 7000 1000",
    sender: "server",
  },
  {
    what: "a client closes a ticker that it has read to the last byte",
    server: "tick 7000",
    client: "sip 10.0.0.1 7000 5",
    sender: "server",
  },
  {
    what: "a server exits in the middle of an upload",
    server: "spill 7000 1000000",
    client: "fill 10.0.0.1 7000 130000000",
    sender: "client",
  },
] as const;

describe("a stream that its receiver cut off, replayed", () => {
  needs("python3");

  for (const { what, server, client, sender } of broken)
    test(what, async ({ plg }) => {
      const run = await record(plg, `server=${streams} ${server}`, `client=${streams} ${client}`);
      expect(linesOf(run, sender)).toEqual(["the connection broke"]);
      for (const way of ways) {
        const replayed = await expectSame(plg, ...way);
        if (!way.includes(sender === "server" ? "--only=client" : "--only=server"))
          expect(replayed.lines(sender)).toEqual(["the connection broke"]);
      }
    });

  test("other bytes before the cut are still a difference, and so are too few", async ({ plg }) => {
    const [server, client] = ["pour 7000 50000000", "sip 10.0.0.1 7000 1000"];
    await record(plg, `server=${streams} ${server}`, `client=${streams} ${client}`);
    const few = await expectDiffers(
      plg,
      "server",
      "--only=server",
      `server=${streams} pour 7000 1`,
    );
    expect(few.report.differences[0]).toMatchObject({ kind: "early-end", offset: 16_384 });
    const other = await expectDiffers(
      plg,
      "server",
      "--only=server",
      `server=${streams} tick 7000`,
    );
    expect(other.report.differences[0]).toMatchObject({ kind: "bytes", offset: 0 });
  });
});
