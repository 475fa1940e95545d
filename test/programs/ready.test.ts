// Connections wait for a server: until it listens, until it is ready, and not for one that is gone.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

/** Answers each connection with whether it was ready by then: half a second after it listens. */
const server = `node -e "let ready = 'too early';
  net.createServer((s) => s.end(ready)).listen(7000, () =>
    setTimeout(() => { ready = 'ready'; require('fs').writeFileSync('ready', ''); console.log('I am ready now'); }, 500))"`;
const client = `node -e "net.connect({ host: 'server', port: 7000, family: 4 })
  .on('data', (d) => console.log(String(d))).on('error', (e) => { console.log(e.code); process.exitCode = 3; })"`;

describe("--ready", () => {
  needs();

  test.for(["test -e ready", "/ready now$/"])("%s holds connections", async (check, { plg }) => {
    const args = ["--until=client", "--wait-listen=20s", "--ready", `SERVER=${check}`];
    const run = await plg.run(["record", ...args, `server=${server}`, `client=${client}`]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["ready"]);
    const replay = await plg.run(["replay", "--only=client", "--json"]);
    expect(JSON.parse(replay.stdout)).toMatchObject({ outcome: "passed" });
  });

  test("does not hold connections to a container that is gone", async ({ plg }) => {
    const args = ["--wait-listen=60s", "--ready", "server=false"];
    const run = await plg.run(["record", ...args, "server=exit 7", `client=${client}`]);
    expect(linesOf(run, "client")).toEqual(["ECONNREFUSED"]);
    expect(run.durationMs).toBeLessThan(30_000);
  });

  test.for([
    [["--ready=nobody=true", "one=true"], /no container 'nobody' \(there are one\)/],
    [["--ready=one", "one=true"], /--ready 'one' is not NAME=COMMAND or NAME=\/REGEX\//],
    [["--ready=one=/(/", "one=true"], /--ready: Invalid regular expression/],
    [["--ready=one=true", "--ready=one=false", "one=true"], /--ready names 'one' twice/],
    [["--raw", "--ready=one=/x/", "one=true"], /--raw does not make/],
  ] as const)("%j is refused", async ([args, says], { plg }) => {
    const run = await plg.run(["record", ...args]);
    expect(run.stderr).toMatch(says);
    expect(run.exitCode).toBe(2);
  });
});

describe("--wait-listen", () => {
  needs();

  test("ends with the last process of the server's container", async ({ plg }) => {
    const run = await plg.run(["record", "--wait-listen=60s", "server=exit 7", `client=${client}`]);
    expect(linesOf(run, "client")).toEqual(["ECONNREFUSED"]);
    expect(run.durationMs).toBeLessThan(30_000);
  });

  test("waits for a daemon that a command has left", async ({ plg }) => {
    const daemon = `setsid sh -c 'sleep 0.5; exec ${server.replaceAll("'", `'\\''`)}' >/dev/null 2>&1 &`;
    const run = await plg.run([
      "record",
      "--wait-listen=60s",
      `server=${daemon}`,
      `client=${client}`,
    ]);
    expect(linesOf(run, "client")).toEqual(["too early"]);
  });
});
