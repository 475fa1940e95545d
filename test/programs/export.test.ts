// Part of a recording, for others.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields, tcpComplaints } from "./dump.ts";
import { asDatabaseUser, initDatabase, postgres } from "./database.ts";
import { needs } from "./machine.ts";
import { actor, expectOk, test } from "./plg.ts";
import { record } from "./replays.ts";
import { certificate, nginx } from "./servers.ts";

const redis = "server=exec redis-server --bind 0.0.0.0 --protected-mode no --save '' >server.log";
const asking =
  "client=redis-cli -h 10.0.0.1 set user ada; redis-cli -h 10.0.0.1 set password hunter2; redis-cli -h 10.0.0.1 get password";

describe("plg export", () => {
  needs("redis-server", "redis-cli", "tshark");

  test("a redacted dump has no secret, and is a dump like any other", async ({ plg, folder }) => {
    await record(plg, "--until=client", "--no-ipv6", redis, asking);
    expect(readFileSync(join(folder, "dump.traffic")).includes("hunter2")).toBe(true);
    const run = await plg.run(["export", "-o", "shared.traffic", "--redact", "hunter\\d"]);
    expectOk(run);
    expect(run.stderr).toMatch(/to shared\.traffic, 3 places redacted/);
    const shared = join(folder, "shared.traffic");
    const bytes = readFileSync(shared);
    expect(bytes.includes("hunter2")).toBe(false);
    expect(bytes.includes("XXXXXXX")).toBe(true);
    expect(statSync(shared).mode & 0o777).toBe(0o600);
    expect(await tcpComplaints(shared)).toEqual([]);
    const diff = await plg.run([
      "diff",
      "dump.traffic",
      "shared.traffic",
      "--ignore=/hunter2|XXXXXXX/",
    ]);
    expectOk(diff);
  });

  test("a selection is exported whole, in every format", async ({ plg, folder }) => {
    await record(plg, "--until=client", "--no-ipv6", redis, asking);
    expectOk(await plg.run(["export", "-o", "some.traffic", "--grep", "password"]));
    const shown = await plg.run(["show", "some.traffic", "--json"]);
    expect(
      (JSON.parse(shown.stdout) as { totals: { connections: number } }).totals.connections,
    ).toBe(2);
    expectOk(await plg.run(["export", "-o", "events.jsonl", "--grep", "ada"]));
    const rows = readFileSync(join(folder, "events.jsonl"), "utf8").trim().split("\n");
    const said = rows.map((row) => JSON.parse(row) as { from: string; bytes?: string });
    const sent = said.filter(({ from }) => from === "client").map(({ bytes = "" }) => bytes);
    expect(Buffer.from(sent.join(""), "base64").toString()).toMatch(
      /set\r\n\$4\r\nuser\r\n\$3\r\nada/,
    );
    expectOk(await plg.run(["export", "-o", "events.csv"]));
    expect(readFileSync(join(folder, "events.csv"), "utf8")).toMatch(/^time,kind,connection,/);
    expectOk(await plg.run(["export", "-o", "streams/", "--only", "#1"]));
    expect(readdirSync(join(folder, "streams"))).toHaveLength(2);
    const wrong = await plg.run(["export", "-o", "a", "--format", "xml"]);
    expect(wrong).toMatchObject({ exitCode: 2 });
  });
});

interface Har {
  readonly log: {
    readonly entries: readonly {
      readonly time: number;
      readonly request: {
        readonly method: string;
        readonly url: string;
        readonly postData?: object;
      };
      readonly response: { readonly status: number; readonly content: Record<string, unknown> };
    }[];
  };
}

describe("plg export to HAR", () => {
  needs("nginx", "curl");

  test("has every HTTP/1 request with its answer, bodies unpacked", async ({ plg, folder }) => {
    const page = "hello ".repeat(1000);
    const settings = "gzip on; gzip_types *; gzip_http_version 1.0;";
    const url = "http://server/page";
    await record(
      plg,
      "--until=client",
      "--no-ipv6",
      nginx(folder, { page, blob: Buffer.of(0xff, 0xfe, 0) }, settings),
      `client=curl -sS --compressed '${url}?a=1&b=%20' ${url} http://server/blob; curl -sS -d 'user=ada' ${url}`,
    );
    const run = await plg.run(["export", "-o", "out.har", "--redact=ada"]);
    expectOk(run);
    expect(run.stderr).toMatch(
      /exported 4 HTTP\/1 requests of 2 connections to out\.har, 2 places/,
    );
    const { entries } = (JSON.parse(readFileSync(join(folder, "out.har"), "utf8")) as Har).log;
    expect(entries.map(({ request, response }) => [request.url, response.status])).toEqual([
      [`${url}?a=1&b=%20`, 200],
      [url, 200],
      ["http://server/blob", 200],
      [url, 405],
    ]);
    expect(entries[0]?.response.content).toMatchObject({ size: page.length, text: page });
    expect(entries[2]?.response.content).toMatchObject({ text: "//4A", encoding: "base64" });
    expect(entries[3]?.request.postData).toMatchObject({ text: "user=XXX" });
  });
});

describe("record --tls-keys with PostgreSQL", () => {
  needs("initdb", "openssl", "tshark");

  test("tshark decrypts what Node said to it", async ({ plg, folder }) => {
    const data = initDatabase(folder);
    certificate(folder);
    const own = "chown postgres key.pem cert.pem && chmod 600 key.pem";
    execFileSync("/bin/sh", ["-c", own], { cwd: folder });
    const ssl = `-c ssl=on -c ssl_cert_file='${folder}/cert.pem' -c ssl_key_file='${folder}/key.pem'`;
    const query = "select 'a secret' || n from generate_series(1, 3) n";
    await record(
      plg,
      "--until=client",
      "--no-ipv6",
      "--tls-keys",
      "--ready=server=pg_isready -q -h 10.0.0.1",
      `server=exec ${asDatabaseUser} ${postgres(data)} ${ssl}`,
      `client=${actor("postgres-tls.mjs")} server "${query}"`,
    );
    expect(readFileSync(join(folder, "dump.traffic")).includes("a secret1")).toBe(false);
    expectOk(await plg.run(["export", "-o", "open.pcapng"]));
    const open = join(folder, "open.pcapng");
    expect(await fields(open, "pgsql.query", "pgsql.query")).toEqual([query]);
    const rows = await fields(open, 'pgsql.type == "Data row"', "pgsql.val.data");
    expect(rows.join().replaceAll(":", "")).toContain(Buffer.from("a secret3").toString("hex"));
  });
});

describe("record --tls-keys", () => {
  needs("nginx", "curl", "openssl", "tshark");

  test("tshark decrypts what curl and Node said to nginx", async ({ plg, folder }) => {
    certificate(folder);
    const tls = `listen 443 ssl; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
    const get = `require("https").get({ host: "server", path: "/page", rejectUnauthorized: false }, (answer) => answer.resume())`;
    const client = `client=curl -sSk --fail https://server/page && '${process.execPath}' -e '${get}'`;
    await record(
      plg,
      "--until=client",
      "--no-ipv6",
      "--tls-keys",
      nginx(folder, { page: "a secret" }, tls),
      client,
    );
    expect(statSync(join(folder, "dump.traffic.keys")).mode & 0o777).toBe(0o600);
    expectOk(await plg.run(["export", "-o", "open.pcapng"]));
    const open = join(folder, "open.pcapng");
    expect(await fields(open, "http.request", "http.request.uri")).toEqual(["/page", "/page"]);
    const shown = await plg.run(["show", "--connection=1"]);
    expect(shown.stderr).toMatch(/the TLS keys of this run are in dump\.traffic\.keys/);
    expectOk(await plg.run(["export", "-o", "closed.pcapng", "--no-keys"]));
    expect(await fields(join(folder, "closed.pcapng"), "http.request", "http.request.uri")).toEqual(
      [],
    );
    expectOk(await plg.run(["show", "open.pcapng"]));
  });
});
