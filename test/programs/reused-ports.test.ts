// A client may return from the port that it has just left. Packets of the old connection may still
// be on their way then, and neither a recording nor a replay may mistake them for the new one's.
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields, streamBytes } from "./dump.ts";
import { needs } from "./machine.ts";
import { linesOf, pythonActor, test } from "./plg.ts";
import { record, recordedConnections } from "./replays.ts";

const samePort = pythonActor("same_port.py");

describe("a client that returns from the same port at once", () => {
  needs("python3", "tshark");

  test.for([
    ["a bulk that the server is slow to take", "drain", 40],
    ["a flood that the client resets", "flood", 30],
  ] as const)("after %s, is connected each time, once", async ([, manner, count], { plg }) => {
    const run = await record(
      plg,
      `server=${samePort} serve ${manner} ${count}`,
      `client=${samePort} visit 10.0.0.1 ${manner} ${count}`,
    );
    expect(linesOf(run, "client")).toEqual([`${count} visits went well`]);
    expect(await recordedConnections(plg)).toHaveLength(count);
  });

  test("is a new connection to other readers of the dump as well", async ({ plg, folder }) => {
    const [server, client] = ["serve ask 3", "visit 10.0.0.1 ask 3"];
    await record(plg, `server=${samePort} ${server}`, `client=${samePort} ${client}`);
    const file = join(folder, "dump.traffic");
    const streams = await fields(file, "tcp", "tcp.stream");
    expect(new Set(streams)).toEqual(new Set(["0", "1", "2"]));
    const retransmissions = "tcp.analysis.retransmission || tcp.analysis.spurious_retransmission";
    expect(await fields(file, retransmissions, "frame.number")).toEqual([]);
    expect(String(await streamBytes(file, 2, "10.0.0.1"))).toBe("answer to 2");
  });

  test("has its reset before its next SYN", async ({ plg, folder }) => {
    await record(
      plg,
      `server=${samePort} serve reset 30`,
      `client=${samePort} visit 10.0.0.1 reset 30`,
    );
    const beginsOrResets = "tcp.flags.syn == 1 && tcp.flags.ack == 0 || tcp.flags.reset == 1";
    const resets = await fields(join(folder, "dump.traffic"), beginsOrResets, "tcp.flags.reset");
    expect(resets.map((flag) => flag === "1" || flag === "True")).toEqual(
      Array.from({ length: 60 }, (_, i) => i % 2 === 1),
    );
  });
});
