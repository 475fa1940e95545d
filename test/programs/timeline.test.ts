// `plg show --timeline` of real programs: what they say to each other, a line each.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { asDatabaseUser, initDatabase, postgres } from "./database.ts";
import { needs } from "./machine.ts";
import { actor, expectOk, type Plg, test } from "./plg.ts";
import { programPath } from "./program-path.ts";
import { record } from "./replays.ts";
import { certificate, dnsmasq, nginx } from "./servers.ts";

const redis = "server=redis-server --bind 0.0.0.0 :: --protected-mode no --save '' --dir .";

/** The lines of the timeline, without times and numbers: `client → server  GET / → 200`. */
async function timeline(plg: Plg, ...options: string[]): Promise<string[]> {
  const shown = await plg.run(["show", "--timeline", ...options]);
  expectOk(shown);
  return shown.stdout
    .trimEnd()
    .split("\n")
    .map((line) =>
      line
        .replace(/^ *\d+\.\d{6} s {2}/, "")
        .replace(/ {2}(#\d+| {2}) +/, "  ")
        .replace(/, [\d.]+ m?s$/, ""),
    );
}

/** What was said, without the beginnings and ends of connections. */
async function said(plg: Plg, ...options: string[]): Promise<string[]> {
  const lines = await timeline(plg, ...options);
  return lines.filter((line) => !/ {2}(connects to port|ends its direction|resets)/.test(line));
}

describe("redis", () => {
  needs("redis-server", "redis-cli");

  test("commands and replies", async ({ plg }) => {
    const client = "set item:3 hello;get item:3;incr item:3;lpush l a b;lrange l 0 -1;get none"
      .split(";")
      .join("\\n");
    const run = `client=printf '${client}\\n' | redis-cli -3 -h server`;
    await record(plg, "--until=client", redis, run);
    const lines = await said(plg, "--only=data");
    expect(lines.slice(-6)).toEqual([
      "client → server  SET item:3 hello → OK",
      'client → server  GET item:3 → "hello"',
      "client → server  INCR item:3 → error ERR value is not an integer or out of range",
      "client → server  LPUSH l a b → 2",
      'client → server  LRANGE l 0 -1 → ["b", "a"]',
      "client → server  GET none → nil",
    ]);
    expect(await timeline(plg, "--grep=INCR item|GET none")).toHaveLength(2);
    expect(await timeline(plg, "--only=connect")).toEqual([
      "client → server  connects to port 6379 → accepts",
    ]);
    const json = await plg.run(["show", "--json", "--grep=^SET"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      connection: 1,
      from: "client",
      to: "server",
      protocol: "RESP",
      text: "SET item:3 hello",
      answer: "OK",
    });
    const { atNs } = JSON.parse(json.stdout) as { atNs: number };
    const at = `${(atNs / 1e9).toFixed(9)}s`;
    expect(await timeline(plg, `--from=${at}`, `--to=${at}`)).toHaveLength(1);
  });
});

describe("PostgreSQL", () => {
  needs("initdb", "psql", "pgbench", "setpriv");

  test("simple queries, prepared ones, and errors", async ({ plg, folder }) => {
    const data = initDatabase(folder);
    const psql = "psql -qAt -h server -U postgres";
    const client = [
      "until pg_isready -q -h server; do sleep 0.1; done",
      `${psql} -c 'create table items (id int, name text)'`,
      `${psql} -c "insert into items values (3, 'three'); select name from items"`,
      `${psql} -c 'select nothing from items' ; echo "select * from items where id = :x;" > q`,
      "pgbench -n -h server -U postgres -M prepared -f q -D x=3 -t 2 postgres >/dev/null",
    ].join("\n");
    await record(
      plg,
      "--until=client",
      `server=exec ${asDatabaseUser} ${postgres(data)}`,
      `client=${client}`,
    );
    const lines = await said(plg);
    const expected = [
      "client → server  connect as postgres to postgres → ready",
      "client → server  create table items (id int, name text) → CREATE TABLE",
      "client → server  insert into items values (3, 'three'); select name from items → INSERT 0 1; 1 row",
      'client → server  select nothing from items → error 42703: column "nothing" does not exist',
      "client → server  PREPARE select * from items where id = $1; → done",
      "client → server  select * from items where id = $1; [3] → 1 row",
    ];
    expect(lines.filter((line) => !line.includes("pgbench"))).toEqual(
      expect.arrayContaining(expected),
    );
    expect(lines.filter((line) => line.endsWith("$1; [3] → 1 row"))).toHaveLength(2);
  });
});

describe("nginx and curl", () => {
  needs("nginx", "curl", "openssl");

  test("HTTP/1, TLS, and HTTP/2 by prior knowledge", async ({ plg, folder }) => {
    certificate(folder);
    const listen =
      `listen 80; listen [::]:80; listen 81 http2; listen [::]:81 http2; listen [::]:443 ssl; listen 443 ssl; ` +
      `ssl_protocols TLSv1.3; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
    const server = nginx(folder, { page: "hello", large: "x".repeat(300_000) }, listen);
    const client = [
      "curl -4 -sS http://server/page http://server/large http://server/none -o a -o b -o c",
      "curl -4 -sS -I http://server/large >/dev/null",
      // curl 7.88 fails at the second request of such a connection.
      "curl -4 -sS --http2-prior-knowledge http://server:81/page -o a",
      "curl -4 -sS --http2-prior-knowledge http://server:81/none -o b",
      "curl -4 -sSk --tlsv1.3 https://server/page -o a",
    ].join(" && ");
    await record(plg, "--until=client", server, `client=${client}`);
    const lines = await said(plg);
    expect(lines.slice(0, 4)).toEqual([
      "client → server  GET /page → 200",
      "client → server  GET /large → 200",
      "client → server  GET /none → 404",
      "client → server  HEAD /large → 200",
    ]);
    const http2 = await said(plg, "--only=:81", "--grep=page|none|stream");
    expect(http2).toEqual(
      expect.arrayContaining([
        "client → server  GET /page → 200",
        "server → client  stream 1: 5 B, its last",
        "client → server  GET /none → 404",
      ]),
    );
    const [hello = "", ...others] = await said(plg, "--only=:443");
    expect(hello).toMatch(
      /^client → server {2}TLS hello, server, TLS 1\.3, h2 http\/1\.1 → TLS 1\.3$/,
    );
    expect(others.every((line) => /encrypted|handshake/.test(line))).toBe(true);
  });
});

describe("MariaDB", () => {
  needs("mariadbd", "mariadb", "mariadb-install-db");

  test("queries, rows and errors", async ({ plg, folder }) => {
    const env = { PATH: programPath };
    const run = (command: string): void => {
      execFileSync("/bin/sh", ["-c", command], { cwd: folder, stdio: "pipe", env });
    };
    const data = join(folder, "data");
    run(
      `mariadb-install-db --no-defaults --datadir=${data} --user=root --skip-test-db --auth-root-authentication-method=normal`,
    );
    const grant = "flush privileges;\\ncreate user bob;\\ngrant all on *.* to bob;\\n";
    run(`printf "${grant}" | mariadbd --no-defaults --user=root --datadir=${data} --bootstrap`);
    const server = `server=exec mariadbd --no-defaults --user=root --datadir=${data} --bind-address='*' --socket=${folder}/socket --skip-name-resolve`;
    const sql =
      "create database shop; use shop; create table t (id int); insert into t values (1), (2); select * from t; select x from t";
    const client = `client=mariadb --skip-ssl -h server -u bob -e '${sql}' || true`;
    await record(plg, "--until=client", server, client);
    const lines = await said(plg);
    expect(lines).toEqual(
      expect.arrayContaining([
        "client → server  log in as bob → OK",
        "client → server  create table t (id int) → OK",
        "client → server  insert into t values (1), (2) → OK, 2 rows",
        "client → server  select * from t → 2 rows",
        "client → server  select x from t → error 1054: Unknown column 'x' in 'SELECT'",
        "client → server  quit",
      ]),
    );
  });
});

describe("dig and dnsmasq", () => {
  needs("dig", "dnsmasq");

  test("questions and answers, by TCP and by UDP", async ({ plg }) => {
    const dig = "dig @10.0.0.1 +short";
    const client = `${dig} +tcp www.example.test A && ${dig} www.example.test AAAA && ${dig} none.test A`;
    await record(plg, "--until=client", dnsmasq, `client=${client}`);
    expect(await said(plg, "--grep=\\?")).toEqual([
      "client → server  A? www.example.test → 192.0.2.7",
      "client → server  AAAA? www.example.test → 2001:db8::7",
      "client → server  A? none.test → REFUSED",
    ]);
  });
});

describe("Node", () => {
  test("a WebSocket", async ({ plg }) => {
    const program = actor("websocket.mjs");
    await record(
      plg,
      "--until=client",
      `server=${program} server`,
      `client=${program} client server`,
    );
    expect(await said(plg, "--only=data")).toEqual([
      "client → server  GET /chat → 101",
      "client → server  text hello",
      "server → client  text hello",
      "client → server  binary, 3.00 kB",
      "server → client  binary, 3.00 kB",
      "client → server  close 1000 done",
      "server → client  close 1000 done",
    ]);
  });

  test("HTTP/2 with requests at once", async ({ plg }) => {
    const program = actor("http2.mjs");
    await record(
      plg,
      "--until=client",
      `server=${program} server`,
      `client=${program} client server`,
    );
    const lines = await said(plg, "--only=data");
    for (const line of [
      "client → server  GET /items/1 → 200",
      "client → server  GET /items/2 → 200",
      "client → server  GET /nothing → 404",
      "server → client  stream 1: 6 B, its last",
    ])
      expect(lines).toContain(line);
  });
});

describe("a recording that goes on", () => {
  needs("redis-server", "redis-cli");

  test("is followed line by line, and to its end", async ({ plg, folder }) => {
    const ask = "redis-cli -h server";
    const client = `client=${ask} set a 1; until [ -e more ]; do sleep 0.05; done; ${ask} set b 2`;
    const recording = plg.start(["record", "--until=client", "--no-ipv6", redis, client]);
    await recording.prints(/OK/);
    const shown = plg.start(["show", "--follow", "--grep=SET"]);
    // On a busy machine the answer may take long enough to get a line of its own.
    await shown.prints(/SET a 1/);
    expect(shown.stdout).not.toMatch(/SET b/);
    writeFileSync(join(folder, "more"), "");
    expectOk(await recording.ended);
    const finished = await shown.ended;
    expectOk(finished);
    expect(finished.stdout).toMatch(/SET a 1[^]*SET b 2/);
    expect(finished.stderr).toBe("");
  });
});

describe("wrong usage", () => {
  test.for([
    {
      args: ["--stats", "--grep=x"],
      message: "--follow, --only, --grep, --from and --to are for the timeline",
    },
    { args: ["--grep=("], message: "--grep '(' is not a regular expression" },
    { args: ["-t", "--only=nobody"], message: "'nobody' is no container (client)" },
    { args: ["-t", "--from=soon"], message: "--from 'soon' is not a time" },
    { args: ["-t", "-c", "3"], message: "--connection and --timeline exclude each other" },
  ])("$args", async ({ args, message }, { plg }) => {
    expectOk(await plg.run(["record", "client=true"]));
    const shown = await plg.run(["show", ...args]);
    expect(shown.exitCode).toBe(2);
    expect(shown.stderr).toContain(`plg: ${message}`);
  });
});
