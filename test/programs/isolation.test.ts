// What a command cannot reach, and what plg does not give it: see docs/security.md.
import { chmodSync, copyFileSync, readlinkSync, readdirSync, statSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { needsRoot } from "./machine.ts";
import { actor, expectOk, linesOf, type Plg, test } from "./plg.ts";
import { childrenOf, isFirstInPidNamespace } from "./processes.ts";

const talk = actor("talk.mjs");
/** Whose commands. */
const users = [
  { whose: "of the caller", options: [] },
  { whose: "of another user", options: ["--uid=nobody"] },
] as const;

/** What a command prints that runs as nobody or as the caller, alone in its run. */
async function printed(plg: Plg, options: readonly string[], command: string): Promise<string[]> {
  const run = await plg.run(["record", ...options, `one=${command}`]);
  expectOk(run);
  return linesOf(run, "one");
}

describe("a command's descriptors", () => {
  needsRoot("setpriv", "bash");

  test.for(users)("are its standard streams alone ($whose)", async ({ options }, { plg }) => {
    // What the caller has open is not the commands' either. (dash knows no descriptors beyond 9.)
    const open = `exec 5</etc/shadow 200</etc/shadow; exec "$@"`;
    const run = plg.start(["record", ...options, "one=ls /proc/self/fd; exec sleep 0.5"], {
      through: ["/bin/bash", "-c", open, "bash"],
    });
    await run.prints(/one/);
    const keeper = childrenOf(run.pid).find(isFirstInPidNamespace) ?? 0;
    // Not the keeper itself: its shell keeps a copy of what it redirected.
    const [reader = 0] = childrenOf(keeper);
    expect(readdirSync(`/proc/${reader}/fd`)).toEqual(["0", "1", "2"]);
    const ended = await run.ended;
    expectOk(ended);
    // The fourth is that of the folder itself.
    expect(linesOf(ended, "one")).toEqual(["0", "1", "2", "3"]);
  });
});

describe("privileges", () => {
  needsRoot("setpriv", "id");

  test("another user has none of the caller's", async ({ plg }) => {
    const show = "grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status";
    const lines = await printed(plg, ["--uid=nobody"], show);
    expect(lines.map((line) => line.split("\t")[1])).toEqual(
      Array.from({ length: 4 }, () => "0".repeat(16)),
    );
  });

  test("--no-new-privs: no program gives more", async ({ plg, folder }) => {
    const setuid = join(folder, "setuid-id");
    copyFileSync("/usr/bin/id", setuid);
    chmodSync(setuid, 0o4755);
    const show = `${setuid} -u; grep NoNewPrivs /proc/self/status`;
    expect(await printed(plg, ["--uid=65534"], show)).toEqual(["0", "NoNewPrivs:\t0"]);
    const without = ["--uid=65534", "--no-new-privs"];
    expect(await printed(plg, without, show)).toEqual(["65534", "NoNewPrivs:\t1"]);
    // The caller's own commands, too.
    expect(await printed(plg, ["--no-new-privs"], show)).toEqual(["0", "NoNewPrivs:\t1"]);
  });

  test("the dump is the caller's, whoever runs the commands", async ({ plg, folder }) => {
    await printed(plg, ["--uid=nobody"], "true");
    const { uid, mode } = statSync(join(folder, "dump.traffic"));
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: process.geteuid?.(), mode: 0o600 });
    const run = await plg.run(["record", "-fother", "--uid=nobody", "cat dump.traffic"]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout + run.stderr).toContain("Permission denied");
  });
});

describe("the machine's network", () => {
  needsRoot("setpriv");
  let server: Server;
  let port: number;
  let abstract: Server;
  const name = `\0plg-isolation-${process.pid}`;

  beforeAll(async () => {
    server = createServer((socket) => socket.end("reached")).listen(0, "::");
    abstract = createServer((socket) => socket.end("reached")).listen(name);
    await Promise.all(
      [server, abstract].map((one) => new Promise((done) => one.once("listening", done))),
    );
    port = (server.address() as { port: number }).port;
  });

  afterAll(() => {
    server.close();
    abstract.close();
  });

  test.for(users)("is out of reach ($whose)", async ({ options }, { plg }) => {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const hosts = [
      "127.0.0.1",
      "[::1]",
      ...addresses.filter((a) => !a.internal && a.family === "IPv4").map((a) => a.address),
    ];
    expect(await reaches(() => connect(port, "127.0.0.1"))).toBe("reached");
    for (const host of hosts) {
      const [line] = await printed(plg, options, `${talk} connect=${host}:${port}`);
      expect(line).toMatch(/^error (ECONNREFUSED|ENETUNREACH|EADDRNOTAVAIL)$/);
    }
  });

  test.for(users)("so are its abstract Unix sockets ($whose)", async ({ options }, { plg }) => {
    expect(await reaches(() => connect(name))).toBe("reached");
    const dial = `'${process.execPath}' -e "require('net').connect('\\0' + '${name.slice(1)}').on('error', (e) => console.log(e.code))"`;
    expect(await printed(plg, options, dial)).toEqual(["ECONNREFUSED"]);
  });

  test("so is the pipe space", async ({ plg }) => {
    // While a connection is open, there are sockets for both of its ends.
    const run = await plg.run([
      "record",
      "--uid=nobody",
      "--wait-listen=10s",
      `server=${talk} listen=7000 read-end`,
      `client=${talk} connect=10.0.0.1:7000 connect=240.0.0.1:7000 connect=240.0.0.2:7000 end`,
    ]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["connected", "error ENETUNREACH", "error ENETUNREACH"]);
  });
});

describe("plg itself", () => {
  needsRoot("setpriv", "nsenter");

  test.for(users)(
    "is not to be seen, signalled or traced ($whose)",
    async ({ options }, { plg }) => {
      const run = plg.start([
        "record",
        ...options,
        `one=until test -e /proc/self/root$PWD/pid; do sleep 0.05; done; kill -0 $(cat pid) || echo no signal; test -d /proc/$(cat pid) || echo not seen; ls /proc | grep -c '^[0-9]'`,
      ]);
      await plg.run(["record", "-fother", `echo ${run.pid} >pid.new; mv pid.new pid`]);
      const ended = await run.ended;
      expectOk(ended);
      const [signal, seen, processes] = linesOf(ended, "one").filter((line) => !/kill/.test(line));
      expect([signal, seen]).toEqual(["no signal", "not seen"]);
      // The keeper, its cat, and the command's own.
      expect(Number(processes)).toBeLessThan(8);
    },
  );

  test("its namespaces cannot be entered by another user", async ({ plg }) => {
    // The keeper is in the machine's network. Its namespaces are root's.
    const enter =
      "nsenter --net=/proc/1/ns/net true || echo refused; readlink /proc/1/ns/net || echo hidden";
    const lines = await printed(plg, ["--uid=nobody"], enter);
    expect(lines.filter((line) => !line.includes("nsenter"))).toEqual(["refused", "hidden"]);
    expect(readlinkSync("/proc/self/ns/net")).toMatch(/^net:/);
  });
});

/** What the other end says. */
function reaches(dial: () => ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve, reject) => {
    dial()
      .once("data", (chunk) => resolve(chunk.toString()))
      .once("error", reject);
  });
}
