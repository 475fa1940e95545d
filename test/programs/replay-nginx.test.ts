// nginx is the one server here whose answers carry the time, so it also shows masks and the
// reports.
import { createHash, randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";
import { nginxDate } from "./replay-fixtures.ts";
import { expectDiffers, expectSame, record, textOf } from "./replays.ts";
import { certificate, nginx } from "./servers.ts";
/** HTTP tells the time in seconds: after this it is another one. */
const untilTheDateIsAnother = (): Promise<void> => sleep(1100);

describe("nginx and curl, replayed", () => {
  needs("nginx", "curl");

  test("200 MB come out of the recording as they went in, without nginx", async ({
    plg,
    folder,
  }) => {
    const content = randomBytes(200_000_000);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const server = nginx(folder, { file: content });
    const client = "client=curl -sS --fail http://10.0.0.1/file | sha256sum";
    await record(plg, "--until=client", server, client);
    // What nginx would have to serve is gone, and so is nginx.
    writeFileSync(join(folder, "site/file"), "");
    const alone = await expectSame(plg, "--only=client");
    expect(alone.lines("client")).toEqual([`${sha256}  -`]);
  });

  test("the date in an answer is the recorded one; with the real clock a difference, unless it is masked", async ({
    plg,
    folder,
  }) => {
    const server = nginx(folder, { page: "hello\n", other: "world\n" });
    const client = "client=curl -sS --fail http://10.0.0.1/page http://10.0.0.1/other";
    await record(plg, "--until=client", server, client);
    await untilTheDateIsAnother();
    await expectSame(plg, "--only=server");
    const real = ["--only=server", "--clock=real"];
    const { report } = await expectDiffers(plg, "server", ...real);
    expect(report.differences).toMatchObject([{ kind: "bytes", server: "server", serverPort: 80 }]);
    expect(textOf(report.differences[0]?.before)).toContain("Date: ");
    await expectSame(plg, ...real, `--ignore=${nginxDate}`);
    writeFileSync(join(folder, "masks"), `# nginx tells the time\n\n${nginxDate}\n`);
    const all = await expectSame(plg, "--clock=real", "--ignore-file=masks");
    expect(all.lines("client")).toEqual(["hello", "world"]);
    await expectSame(plg, ...real, "--no-compare");
  });

  test("other content: the client sees the recorded one, the report names the server", async ({
    plg,
    folder,
  }) => {
    const page = "The quick brown fox jumps over the lazy dog.\n".repeat(20_000);
    const server = nginx(folder, { page });
    const client = "client=curl -sS --fail http://10.0.0.1/page | sha256sum";
    const printed = linesOf(await record(plg, "--until=client", server, client), "client");
    writeFileSync(join(folder, "site/page"), page.replace("lazy", "idle"));
    const changed = await expectDiffers(
      plg,
      "server",
      `--ignore=${nginxDate}`,
      `--ignore=/^(Last-Modified|ETag): .*$/m`,
    );
    expect(changed.lines("client")).toEqual(printed);
    const [difference] = changed.report.differences;
    expect(textOf(difference?.recorded)).toMatch(/^lazy dog\./);
    expect(textOf(difference?.live)).toMatch(/^idle dog\./);
    expect(changed.report.count).toBe(1);
  });
});

describe("what is told of it", () => {
  needs("nginx", "curl", "xmllint");

  test("the report is for people, for programs, and for CI", async ({ plg, folder }) => {
    const server = nginx(folder, { page: "hello\n" });
    await record(plg, "--until=client", server, "client=curl -sS --fail http://10.0.0.1/page");
    writeFileSync(join(folder, "site/page"), "HELLO\n");
    const masks = [`--ignore=${nginxDate}`, "--ignore=/^(Last-Modified|ETag): .*$/m"];
    const run = await plg.run(["replay", "--junit=result.xml", ...masks]);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(/^1 difference: server 1$/m);
    expect(run.stdout).toMatch(
      /^server: connection 1 \(client:\d+ → server:80\): sent other bytes to client from byte \d+ on$/m,
    );
    expect(run.stdout).toMatch(/^ +≠ .* 68 65 6c 6c 6f .*hello.* 48 45 4c 4c 4f .*HELLO/m);
    const xml = readFileSync(join(folder, "result.xml"), "utf8");
    expect(xml).toMatch(/^<\?xml/);
    expect(xml).toMatch(/failures="1"/);
    execFileSync("xmllint", ["--noout", join(folder, "result.xml")]);
    expectOk(await plg.run(["replay", "--junit=good.xml", "--only=client"]));
    expect(readFileSync(join(folder, "good.xml"), "utf8")).toMatch(/failures="0"/);
  });
});

describe("https, replayed", () => {
  needs("nginx", "curl", "openssl");

  test("without a seed, each session has secrets of its own: a report, and no hang", async ({
    plg,
    folder,
  }) => {
    certificate(folder);
    const tls = `listen 443 ssl; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
    const server = nginx(folder, { page: "over TLS\n" }, tls);
    const run = await record(
      plg,
      "--no-seed",
      "--until=client",
      server,
      "client=curl -sS -k --fail --max-time 10 https://10.0.0.1/page",
    );
    expect(linesOf(run, "client")).toEqual(["over TLS"]);
    for (const name of ["client", "server"]) {
      const { report, run: alone } = await expectDiffers(plg, name, `--only=${name}`);
      const [first] = report.differences;
      expect(first).toMatchObject({ kind: "bytes", process: name, serverPort: 443 });
      // What is random in the very first message of either side: a TLS record's head comes before
      // it.
      expect(first?.offset).toBeLessThan(16);
      expect(alone.durationMs).toBeLessThan(10_000);
    }
  });
});
