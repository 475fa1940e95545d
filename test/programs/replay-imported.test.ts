// Servers and clients that never ran under plg, replayed from what tcpdump captured of them over a
// network that loses and reorders packets. Each side runs alone, at the address that it had.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { CapturedHosts, hostAddresses } from "./captured-hosts.ts";
import { asDatabaseUser, initDatabase, postgres, restoreDatabase } from "./database.ts";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, type Plg, test } from "./plg.ts";
import { expectSame } from "./replays.ts";
import { nginx } from "./servers.ts";
import { ethernet, pcapFile, tcp } from "../unit/capture/packets.ts";

const lossPercent = 3;

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;
const timeBytes = 8;

/** A capture in which every seventh packet changed places with the next one; times stay. */
function reordered(capture: Buffer): Buffer {
  const times: Buffer[] = [];
  const packets: Buffer[] = [];
  for (let at = fileHeaderBytes; at < capture.length;) {
    const end = at + recordHeaderBytes + capture.readUInt32LE(at + timeBytes);
    times.push(capture.subarray(at, at + timeBytes));
    packets.push(capture.subarray(at + timeBytes, end));
    at = end;
  }
  for (let i = 7; i + 1 < packets.length; i += 7)
    [packets[i], packets[i + 1]] = [packets[i + 1] as Buffer, packets[i] as Buffer];
  const records = packets.flatMap((packet, i) => [times[i] as Buffer, packet]);
  return Buffer.concat([capture.subarray(0, fileHeaderBytes), ...records]);
}

interface Scenario {
  readonly server: string;
  readonly port: number;
  readonly client: string;
}

/**
 * Runs server and client on their hosts, and imports what the client's host captured. Returns what
 * the client printed.
 */
async function captureAndImport(plg: Plg, folder: string, scenario: Scenario): Promise<string[]> {
  const hosts = new CapturedHosts(folder, lossPercent);
  try {
    const server = hosts.start("server", `exec ${scenario.server}`);
    await hosts.listening(scenario.port);
    const capture = await hosts.capture("client");
    const printed = await hosts.run("client", scenario.client);
    await hosts.endCaptures();
    server.child.kill("SIGTERM");
    await server.ended;
    writeFileSync(capture, reordered(readFileSync(capture)));
    const names = Object.entries(hostAddresses).map(
      ([name, address]) => `--name=${address}=${name}`,
    );
    expectOk(await plg.run(["import", "client.pcap", ...names]));
    return printed.split("\n").filter((line) => line !== "");
  } finally {
    await hosts.close();
  }
}

describe("imported captures of real programs, each side alone", () => {
  needsRoot("tcpdump", "nft", "ss", "nginx", "curl", "redis-server", "redis-cli", "initdb", "psql");

  test("curl and nginx", async ({ plg, folder }) => {
    const url = `http://${hostAddresses.server}`;
    const client = `curl -sS --fail ${url}/page ${url}/file | sha256sum`;
    const server = nginx(folder, { page: "hello", file: Buffer.alloc(300_000, "content ") });
    const command = server.replace("server=exec ", "");
    const printed = await captureAndImport(plg, folder, { server: command, port: 80, client });
    const asking = await expectSame(plg, "--only=client", `client=${client}`);
    expect(asking.lines("client")).toEqual(printed);
    await expectSame(plg, "--ignore=server:80/^Date: .*$/m", `server=exec ${command}`);
  });

  test("redis-cli and redis", async ({ plg, folder }) => {
    const host = hostAddresses.server;
    const client = `for i in 1 2 3 4 5; do redis-cli -h ${host} incr hits; done; redis-cli -h ${host} get hits`;
    const server = "redis-server --bind 0.0.0.0 --protected-mode no --save ''";
    const printed = await captureAndImport(plg, folder, { server, port: 6379, client });
    expect(printed).toEqual(["1", "2", "3", "4", "5", "5"]);
    const asking = await expectSame(plg, "--only=client", `client=${client}`);
    expect(asking.lines("client")).toEqual(printed);
    await expectSame(plg, `server=exec ${server}`);
  });

  test("psql and PostgreSQL", async ({ plg, folder }) => {
    const data = initDatabase(folder);
    for (const place of ["data", "fresh"])
      appendFileSync(join(folder, place, "pg_hba.conf"), "host all all all trust\n");
    const queries =
      "create table t(n int); insert into t select generate_series(1, 2000); select sum(n) from t; table t;";
    const client = `psql -h ${hostAddresses.server} -U postgres -tA postgres -c "${queries}" | sha256sum`;
    const server = `${asDatabaseUser} ${postgres(data)}`;
    const printed = await captureAndImport(plg, folder, { server, port: 5432, client });
    const asking = await expectSame(plg, "--only=client", `client=${client}`);
    expect(asking.lines("client")).toEqual(printed);
    restoreDatabase(folder);
    const key = "--ignore=server:5432/K\\0\\0\\0\\f[^]{8}/";
    await expectSame(plg, key, `server=exec ${server}`, "--patience=8s");
  });
});

describe("what an imported recording does not have", () => {
  needs();

  test("commands: they are given, and run at the true address", async ({ plg, folder }) => {
    const c = { from: "203.0.113.5", to: "127.0.0.1", fromPort: 4711, toPort: 80 };
    const frames = [tcp({ ...c, sequence: 100, flags: 2 })];
    writeFileSync(
      join(folder, "a.pcap"),
      pcapFile(frames.map((packet) => ({ bytes: ethernet(packet), atNs: 0n }))),
    );
    expectOk(
      await plg.run(["import", "a.pcap", "--name", "203.0.113.5=app", "--name=127.0.0.1=lo"]),
    );
    const without = await plg.run(["replay"]);
    expect(without).toMatchObject({ exitCode: 2 });
    expect(without.stderr).toMatch(/it has no commands: give one, as in app='\.\/app'/);
    const named = await plg.run(["replay", "--only=app"]);
    expect(named.stderr).toMatch(/'app' has no command: give one, as in app='\.\/app'/);
    const impossible = await plg.run(["replay", "lo=true"]);
    expect(impossible).toMatchObject({ exitCode: 2 });
    expect(impossible.stderr).toMatch(
      /'lo' cannot run: no container can have its address 127\.0\.0\.1/,
    );
    const run = await plg.run([
      "replay",
      "app=ip -o -4 address show dev tun0; echo $PLG_ADDRESS",
      "--patience=100ms",
    ]);
    expect(run.stdout).toMatch(/inet 203\.0\.113\.5\/32/);
    expect(run.stderr).toMatch(
      /1 connection with loopback or link-local addresses cannot be played/,
    );
  });
});
