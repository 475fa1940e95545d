// Several captures, taken on hosts whose clocks disagree, each of which lacks packets.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { readDump } from "../../src/dump/store/reader.ts";
import { needsRoot } from "./machine.ts";
import { expectOk, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

/** tcpdump in a container, until the command's end: it is ready when it has said so. */
function capturing(name: string, command: string): string {
  return `${name}=tcpdump -i any -Z root -U -B 16384 -w ${name}.pcap 2>${name}.log & T=$!; until grep -q listening ${name}.log; do sleep 0.05; done; ${command}`;
}

const recordHeaderBytes = 16;

/** A capture without every `nth` packet, from a clock that is ahead by so many seconds. */
function spoiled(capture: Buffer, nth: number, skewSeconds: number): Buffer {
  const parts = [capture.subarray(0, 24)];
  let count = 0;
  for (let at = 24; at + recordHeaderBytes <= capture.length;) {
    const end = at + recordHeaderBytes + capture.readUInt32LE(at + 8);
    if (end > capture.length) break;
    const packet = Buffer.from(capture.subarray(at, end));
    packet.writeUInt32LE(packet.readUInt32LE(0) + skewSeconds, 0);
    if (++count % nth !== 0) parts.push(packet);
    at = end;
  }
  return Buffer.concat(parts);
}

/** What was said on the connections to a port, and by whom in which order. */
function said(path: string, port: number): { streams: string[]; turns: string[] } {
  const streams = new Map<number, [string, string]>();
  const turns: string[] = [];
  for (const item of readDump(path)) {
    if (item.type !== "stream" || item.connection.server.port !== port) continue;
    if (item.payload.length === 0) continue;
    const { client } = item.connection;
    const own = streams.get(client.port) ?? ["", ""];
    own[item.direction] += Buffer.from(item.payload).toString("latin1");
    streams.set(client.port, own);
    const turn = `${client.port} ${item.direction}`;
    if (turns.at(-1) !== turn) turns.push(turn);
  }
  return { streams: [...streams].map(([from, [a, b]]) => `${from} ${a} ${b}`), turns };
}

describe("captures from the containers of a recorded run, skewed by 10 s, each without some packets", () => {
  needsRoot("tcpdump", "redis-server", "redis-cli");

  test("make what plg recorded, in the same order, and it replays", async ({ plg, folder }) => {
    const redis = "redis-server --bind 10.0.0.1 --protected-mode no --save ''";
    const asking = "for i in $(seq 20); do redis-cli -h 10.0.0.1 incr hits; done >/dev/null";
    const wait = "until redis-cli -h 10.0.0.1 ping >/dev/null 2>&1; do sleep 0.1; done";
    await record(
      plg,
      "--until=client",
      "--no-ipv6",
      capturing("server", `exec ${redis} >/dev/null`),
      capturing("client", `${wait}; ${asking}; sleep 1.5; kill -INT $T; wait`),
    );
    const skews = { server: -10, client: 10 };
    for (const [name, seconds] of Object.entries(skews)) {
      const capture = readFileSync(join(folder, `${name}.pcap`));
      writeFileSync(
        join(folder, `${name}-2.pcap`),
        spoiled(capture, seconds > 0 ? 101 : 97, seconds),
      );
    }
    const run = await plg.run([
      "import",
      "client-2.pcap",
      "server-2.pcap",
      "-o",
      "both.traffic",
      "--json",
      "--name=10.0.0.1=server",
      "--name=10.0.0.2=client",
    ]);
    expectOk(run);
    const { clocks } = JSON.parse(run.stdout) as {
      clocks: { offsetNs: number; toleranceNs: number }[];
    };
    expect(clocks[1]?.toleranceNs).toBeGreaterThan(0);
    expect(Math.abs((clocks[1]?.offsetNs ?? 0) + 20e9)).toBeLessThan(
      1e6 + (clocks[1]?.toleranceNs ?? 0),
    );
    const recorded = said(join(folder, "dump.traffic"), 6379);
    expect(recorded.streams.length).toBeGreaterThan(20);
    expect(said(join(folder, "both.traffic"), 6379)).toEqual(recorded);
    await expectSame(plg, "both.traffic", `client=${wait}; ${asking}`);
    await expectSame(plg, "both.traffic", `server=exec ${redis}`);
  });
});
