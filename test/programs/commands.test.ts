// The commands besides record and replay: show, doctor, demo.
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, test } from "./plg.ts";

const talk = [
  `server=node -e "net.createServer((s) => s.end('bye')).listen(7000, '0.0.0.0')"`,
  `client=node -e "net.connect(7000, '10.0.0.1', function () { this.end('hello') }).resume()"`,
];
const options = ["--wait-listen", "5s", "--until", "client"];

describe("show", () => {
  needs();

  test("shows the run, its commands and connections, as a table and as JSON", async ({ plg }) => {
    expectOk(await plg.run(["record", ...options, ...talk]));
    const table = await plg.run(["show"]);
    expectOk(table);
    expect(table.stdout).toMatch(/^ {2}server +10\.0\.0\.1 +stopped, SIGTERM +node -e/m);
    expect(table.stdout).toMatch(/^ {2}client +10\.0\.0\.2 +exit 0 +node -e/m);
    expect(table.stdout).toMatch(/^1 +client:\d+ +→ +server:7000 .* 5 B +3 B +closed$/m);
    expect(table.stderr).toBe("");
    const json = await plg.run(["show", "dump.traffic", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      complete: true,
      commands: [
        { name: "server", signal: "SIGTERM" },
        { name: "client", exitCode: 0 },
      ],
      totals: { connections: 1, bytesToServer: 5, bytesToClient: 3 },
    });
  });

  test("shows what is there of a torn dump, and warns", async ({ plg, folder }) => {
    expectOk(await plg.run(["record", ...options, ...talk]));
    const whole = join(folder, "dump.traffic");
    const torn = join(folder, "torn.traffic");
    copyFileSync(whole, torn);
    truncateSync(torn, readFileSync(whole).length - 4100);
    const run = await plg.run(["show", "torn.traffic"]);
    expectOk(run);
    expect(run.stdout).toMatch(/^ {2}client .* end unknown /m);
    expect(run.stderr).toMatch(/^plg: warning: torn\.traffic was cut off [^\n]*\n$/);
  });

  test("says how long the run lasted, as its recorder did", async ({ plg }) => {
    const recorded = await plg.run(["record", "--json", "one=sleep 0.1"]);
    const { durationMs } = JSON.parse(recorded.stdout) as { durationMs: number };
    expect(durationMs).toBeGreaterThan(100);
    const shown = await plg.run(["show", "--json"]);
    const { durationNs } = JSON.parse(shown.stdout) as { durationNs: number };
    expect(durationNs / 1e6).toBeCloseTo(durationMs, 3);
    const lasted = /lasted (.* s)$/m.exec((await plg.run(["show"])).stdout)?.[1];
    expect(recorded.stderr).toContain(` in ${lasted} to `);
  });
});

describe("show, of what is no recording", () => {
  needs();

  test.for([
    ["foreign", "#!/bin/sh\n"],
    ["empty", ""],
  ] as const)("refuses a file that is %s", async ([name, content], { plg, folder }) => {
    writeFileSync(join(folder, name), content);
    const run = await plg.run(["show", name]);
    expect(run).toMatchObject({ exitCode: 5, stdout: "" });
    expect(run.stderr).toMatch(/^plg: [^\n]+\n$/);
  });

  test("says what to do where there is no dump", async ({ plg }) => {
    const nothing = await plg.run(["show"]);
    expect(nothing).toMatchObject({ exitCode: 2, stdout: "" });
    expect(nothing.stderr).toMatch(/^plg: [^\n]+plg show PATH\n$/);
    expect(await plg.run(["show", "nowhere"])).toMatchObject({ exitCode: 5, stdout: "" });
  });

  test("is printed whole into a pipe, and minds none that is closed", async ({ plg }) => {
    const many = `node -e "let n = 0; (function next() {
      if (n++ < 1000) net.connect(7000, '10.0.0.1').resume().on('close', next); })()"`;
    expectOk(await plg.run(["record", ...options, talk[0] ?? "", `client=${many}`]));
    const slow = ["/bin/sh", "-c", '"$@" | (sleep 0.5; cat)', "sh"];
    const table = await plg.run(["show"], { through: slow });
    expect(table.stdout).toMatch(/^1000 .*closed\n +total/m);
    const head = ["/bin/sh", "-c", '{ "$@"; echo "$?" >&2; } | head -n 1', "sh"];
    const run = await plg.run(["show"], { through: head });
    expect(run.stdout).toMatch(/^recorded .*\n$/);
    expect(run.stderr).toBe("0\n");
  });
});

describe("show --connection", () => {
  needs();

  test("reads no further when nobody reads it any more", async ({ plg, folder }) => {
    const sink = `server=node -e "net.createServer((s) => s.resume()).listen(7000, '0.0.0.0')"`;
    const flood = `client=node -e "net.connect(7000, '10.0.0.1').end(Buffer.alloc(8e6, 'x\\n')).resume()"`;
    expectOk(await plg.run(["record", ...options, sink, flood]));
    // Whoever reads to the end finds damage there.
    const dump = join(folder, "dump.traffic");
    const bytes = readFileSync(dump);
    bytes[7_000_000] = (bytes[7_000_000] as number) ^ 1;
    writeFileSync(dump, bytes);
    const head = ["/bin/sh", "-c", '"$@" | head -n 3', "sh"];
    const run = await plg.run(["show", "--connection=1"], { through: head });
    expect(run.stdout.split("\n")).toHaveLength(4);
    expect(run.stderr).toBe("");
    const all = await plg.run(["show", "--connection=1"]);
    expect(all.exitCode).toBe(5);
    expect(all.stderr).toMatch(/^plg: dump\.traffic is damaged: [^\n]+\n$/);
    expect(all.stdout.match(/^ {2}x$/gm)?.length).toBeGreaterThan(1e6);
  });

  test("shows what was said on a connection, as text and in hexadecimal", async ({ plg }) => {
    expectOk(await plg.run(["record", ...options, ...talk]));
    const said = await plg.run(["show", "--connection", "1"]);
    expectOk(said);
    const [heading = "", empty, ...events] = said.stdout.split("\n");
    expect(heading).toMatch(/^connection 1, client:\d+ \u2192 server:7000$/);
    expect(empty).toBe("");
    expect(events.map((line) => line.replace(/^\d+\.\d{6} s {2}/, "")).toSorted()).toEqual(
      [
        "client  connects to port 7000",
        "server  accepts",
        "client  5 B",
        "  hello",
        "server  3 B",
        "  bye",
        "client  ends its direction",
        "server  ends its direction",
        "",
      ].toSorted(),
    );
    const hex = await plg.run(["show", "dump.traffic", "-c", "1", "--hex"]);
    expect(hex.stdout).toMatch(/^ {9}0 {2}68 65 6c 6c 6f {35}hello$/m);
    for (const [args, says] of [
      [["-c", "2"], "there is no connection 2 in dump.traffic, which has 1 connection"],
      [["-c", "none"], "--connection 'none' "],
      [["-c", "1", "--json"], "--connection and --json exclude each other"],
      [["--hex"], "--hex is for --connection"],
    ] as const) {
      const wrong = await plg.run(["show", ...args]);
      expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
      expect(wrong.stderr).toMatch(/^plg: [^\n]+\n$/);
      expect(wrong.stderr).toContain(says);
    }
  });
});

describe("doctor", () => {
  needs();

  test("finds that this machine can record", async ({ plg, folder }) => {
    const run = await plg.run(["doctor"]);
    expectOk(run);
    expect(run.stdout).toMatch(/^ok +a recording +connections were recorded/m);
    expect(run.stdout).toMatch(/^Recording works here\.$/m);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("doctor in a container", () => {
  needsRoot();

  test("finds what is missing, and says how to fix it", async ({ plg }) => {
    // CAP_NET_ADMIN is what most containers lack.
    const without = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    const run = await plg.run(["doctor", "--json"], { through: without });
    expect(run.exitCode).toBe(4);
    const { ok, checks } = JSON.parse(run.stdout) as {
      ok: boolean;
      checks: { name: string; status: string; fix?: string }[];
    };
    expect(ok).toBe(false);
    const network = checks.find(({ name }) => name === "network namespaces");
    expect(network).toMatchObject({ status: "missing" });
    expect(network?.fix).toContain("NET_ADMIN");
    expect(checks.find(({ name }) => name === "a recording")).toMatchObject({ status: "missing" });
  });
});

describe("demo", () => {
  needs();

  test("shows each step, replays TLS without a server, and keeps what it made", async ({
    plg,
    folder,
  }) => {
    const run = await plg.run(["demo"], { env: { TMPDIR: folder } });
    expectOk(run);
    expect(run.stdout).toContain("bob    | 100000: 9592");
    expect(run.stdout).toMatch(/^1 .* → +store:7000 .*closed$/m);
    const made = readdirSync(folder).find((name) => name.startsWith("plg-demo-")) ?? "";
    expect(run.stdout).toContain(join(folder, made));
    expect(readdirSync(join(folder, made))).toContain("dump.traffic");
    const secrets = run.stdout.match(/carol \| over TLSv1\.2: your secret number is \d+/g) ?? [];
    expect(secrets).toHaveLength(2);
    expect(secrets[1]).toBe(secrets[0]);
    expect(run.stderr.match(/no difference$/gm)).toHaveLength(3);
    expect(run.durationMs).toBeLessThan(40_000);
  });
});
